import type { z } from "@hono/zod-openapi";
import { GemmaError } from "../base/errors.js";
import type { Scope } from "./access/keys.js";
import { readJsonBody } from "./http/body.js";
import { parseBody } from "./openai/fields.js";
import type { Call } from "./requests/call.js";
import type { App, Serving } from "./serving.js";
import { type RequestSpan, type SamplingFields, startRequestSpan } from "./telemetry/tracing.js";

/** One operation of the API: the same schemas check requests and describe them in the OpenAPI document. */
export interface Operation<Body extends z.ZodType> {
  readonly method: "get" | "post" | "delete";
  /** With hono's parameters: `/v1/models/:model`. */
  readonly path: string;
  readonly summary: string;
  readonly tag: "OpenAI" | "Ollama" | "Tokens" | "Adapters" | "Operation";
  /** Of the key; null: none is needed. Default: inference. */
  readonly scope?: Scope | null;
  readonly body?: Body;
  /** A body to try it with. @param model  a name that the server knows */
  readonly example?: (model: string) => z.input<Body>;
  /** Of a complete answer; a type of content where it is not JSON. */
  readonly response: z.ZodType | string;
  /** The word for it in traces; none: it has no span. */
  readonly span?: "chat" | "text_completion" | "embeddings";
  /** Answers come as events where the request asks for them. */
  readonly streams?: "text/event-stream" | "application/x-ndjson";
  /** Browsers open it as a page: the key may also come as the password of Basic authentication. */
  readonly isPage?: boolean;
  /** Whether the OpenAPI document leaves it out: it is no part of the API. */
  readonly isHidden?: boolean;
  readonly handle: (
    serving: Serving,
    call: Call,
    input: z.output<Body>,
    params: Params,
  ) => Promise<Response> | Response;
}

export type AnyOperation = Operation<z.ZodType>;

export type Params = Readonly<Record<string, string>>;

/** Keeps the type of a body for its handler. */
export function operation<Body extends z.ZodType>(definition: Operation<Body>): AnyOperation {
  return definition as unknown as AnyOperation;
}

export function noSuchPath(path: string): GemmaError {
  return new GemmaError("ERR_NOT_FOUND", `path: must be one of /openapi.json, got ${path.slice(0, 200)}`);
}

/** Adds an operation to the app. */
export function addOperation(app: App, serving: Serving, one: AnyOperation): void {
  app.on(one.method.toUpperCase(), one.path, async (c) => {
    const call = c.get("call");
    call.route = one.path;
    const body = one.body && parseBody(one.body, await readJsonBody(c.req.raw, serving.options.limits.bodyBytes));
    const { logPrompts } = serving.options;
    if (logPrompts && body) serving.log.info({ requestId: call.id, input: body }, "request body");
    const run = () => one.handle(serving, call, body, c.req.param() as Params);
    return one.span === undefined ? run() : spanOf(one.span, one, serving, call, body).run(run);
  });
}

/** The span of a call, from here to the end of its answer. */
function spanOf(name: string, one: AnyOperation, { models }: Serving, call: Call, body: unknown): RequestSpan {
  const fields = body as SpannedBody;
  const span = startRequestSpan(call.request.headers, {
    operation: name,
    model: fields.model && models.knows(fields.model) ? fields.model : undefined, // others are the caller's own words
    method: one.method.toUpperCase(),
    route: one.path,
    isStream: fields.stream ?? one.streams === "application/x-ndjson", // Ollama's default
    sampling: samplingOf(fields),
    keyId: call.caller.tenant === "" ? undefined : call.caller.tenant,
  });
  call.whenEnded(() => {
    const { model, promptTokens, generatedTokens, finishReasons, timings, error } = call.notes;
    span.set({
      responseModel: model,
      inputTokens: promptTokens,
      outputTokens: generatedTokens,
      finishReasons,
      cachedTokens: timings?.cachedTokens,
      queueMs: timings?.queueMs,
      firstTokenMs: timings?.firstTokenMs,
      decodeMs: timings?.decodeMs,
    });
    span.end(error);
  });
  return span;
}

type MaybeNumber = number | null | undefined;

/** Fields that spans tell of, by the names of each API. */
interface SpannedBody {
  readonly model?: string | null;
  readonly stream?: boolean | null;
  readonly max_tokens?: MaybeNumber;
  readonly max_completion_tokens?: MaybeNumber;
  readonly max_output_tokens?: MaybeNumber;
  readonly temperature?: MaybeNumber;
  readonly top_p?: MaybeNumber;
  readonly seed?: MaybeNumber;
  readonly n?: MaybeNumber;
  /** Ollama's. */
  readonly options?: { [name in "num_predict" | "temperature" | "top_p" | "seed"]?: MaybeNumber } | null;
}

function samplingOf(body: SpannedBody): SamplingFields {
  const { options } = body;
  return {
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? body.max_output_tokens ?? options?.num_predict,
    temperature: body.temperature ?? options?.temperature,
    topP: body.top_p ?? options?.top_p,
    seed: body.seed ?? options?.seed,
    choices: body.n,
  };
}
