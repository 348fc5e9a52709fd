import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Context,
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { post, tinyServer } from "../../../test/helpers/server.js";
import { GemmaError } from "../../base/errors.js";
import { startRequestSpan } from "./tracing.js";

const PARENT = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
const CANARY = "the quick brown fox";

/** What an SDK for Node registers. */
class StorageContextManager implements ContextManager {
  private readonly storage = new AsyncLocalStorage<Context>();
  active = () => this.storage.getStore() ?? ROOT_CONTEXT;
  with: ContextManager["with"] = (active, work, self, ...args) =>
    this.storage.run(active, () => work.call(self as never, ...args));
  bind: ContextManager["bind"] = (_, target) => target;
  enable = () => this;
  disable = () => this;
}

describe("with an SDK", () => {
  const exporter = new InMemorySpanExporter();
  beforeEach(() => {
    exporter.reset();
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    context.setGlobalContextManager(new StorageContextManager());
  });
  afterEach(() => {
    trace.disable();
    propagation.disable();
    context.disable();
  });
  const spans = () => exporter.getFinishedSpans();

  test("a request's span has the conventions' names, and the caller's span above it", () => {
    const headers = new Headers({ traceparent: `00-${PARENT.trace}-${PARENT.span}-01` });
    const span = startRequestSpan(headers, {
      ...{ operation: "chat", model: "gemma-3-270m", method: "POST", route: "/v1/chat/completions", isStream: true },
      keyId: "ab12cd34",
      sampling: { maxTokens: 64, temperature: 0, topP: null, seed: 7, choices: 2 },
    });
    span.set({
      responseModel: "gemma-3-270m",
      finishReasons: ["stop", "length"],
    });
    span.set({ inputTokens: 12, cachedTokens: 8, outputTokens: 30, queueMs: 1.5, firstTokenMs: 250, decodeMs: 900 });
    span.end();
    span.end(new Error("too late"));
    expect(spans()).toHaveLength(1);
    expect(spans()[0]).toMatchObject({
      ...{ name: "chat gemma-3-270m", kind: SpanKind.SERVER, status: { code: SpanStatusCode.UNSET } },
      parentSpanContext: { traceId: PARENT.trace, spanId: PARENT.span, isRemote: true },
    });
    expect(spans()[0]!.attributes).toEqual({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "gemma-ts",
      "gen_ai.request.model": "gemma-3-270m",
      "gen_ai.request.stream": true,
      "gen_ai.request.max_tokens": 64,
      "gen_ai.request.temperature": 0,
      "gen_ai.request.seed": 7,
      "gen_ai.request.choice.count": 2,
      "gen_ai.response.model": "gemma-3-270m",
      "gen_ai.response.finish_reasons": ["stop", "length"],
      "gen_ai.response.time_to_first_chunk": 0.25,
      "gen_ai.usage.input_tokens": 12,
      "gen_ai.usage.cache_read.input_tokens": 8,
      "gen_ai.usage.output_tokens": 30,
      "gemma.queue_ms": 1.5,
      "gemma.decode_ms": 900,
      "gemma.key.id": "ab12cd34",
      "http.request.method": "POST",
      "http.route": "/v1/chat/completions",
    });
  });

  test.each(["", "00-zz-zz-01", `00-${"0".repeat(32)}-${PARENT.span}-01`, "x".repeat(10_000)])(
    "a traceparent that is none begins a trace of its own (%#)",
    (traceparent) => {
      startRequestSpan(new Headers({ traceparent }), { operation: "chat" }).end();
      expect(spans()[0]!.parentSpanContext).toBeUndefined();
      expect(spans()[0]!.name).toBe("chat");
    },
  );

  test("spans of others lie below the request's, also behind awaits", async () => {
    const request = startRequestSpan(new Headers(), { operation: "chat", model: "m" });
    const answer = await request.run(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return trace.getTracer("others").startActiveSpan("lookup", (span) => {
        span.end();
        return "answer";
      });
    });
    request.end();
    expect(answer).toBe("answer");
    const [inner, whole] = spans();
    expect(inner).toMatchObject({ name: "lookup" });
    expect(inner!.parentSpanContext!.spanId).toBe(whole!.spanContext().spanId);
  });

  test("a model that is not served is not named: callers could put any words there", async () => {
    const server = await tinyServer({ aliases: ["known"] });
    for (const model of ["known", CANARY]) await post(server, "/v1/completions", { prompt: "a", model, max_tokens: 1 });
    await server.dispose();
    expect(spans().map(({ name }) => name)).toEqual(["text_completion known", "text_completion"]);
    expect(JSON.stringify(spans().map(({ attributes }) => attributes))).not.toContain(CANARY);
  });

  test("errors give their kind, not their words", () => {
    const full = new GemmaError("ERR_CONTEXT_FULL", `prompt: got ${CANARY}`);
    startRequestSpan(new Headers(), { operation: "chat" }).end(full);
    startRequestSpan(new Headers(), { operation: "chat" }).end(new TypeError(CANARY));
    startRequestSpan(new Headers(), { operation: "chat" }).end("thrown text");
    expect(spans().map(({ attributes }) => attributes["error.type"])).toEqual([
      "ERR_CONTEXT_FULL",
      "TypeError",
      "unknown",
    ]);
    for (const { status, events, attributes } of spans()) {
      expect(status.code).toBe(SpanStatusCode.ERROR);
      expect(JSON.stringify({ status, events, attributes })).not.toContain(CANARY);
    }
  });
});

test("without an SDK spans do nothing, and work runs all the same", async () => {
  const request = startRequestSpan(new Headers({ traceparent: `00-${PARENT.trace}-${PARENT.span}-01` }), {
    operation: "chat",
  });
  request.set({ outputTokens: 1 });
  expect(await request.run(async () => 42)).toBe(42);
  request.end();
});
