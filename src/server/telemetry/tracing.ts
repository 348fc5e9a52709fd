import {
  type Attributes,
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { defined } from "../../base/defined.js";
import { GemmaError } from "../../base/errors.js";

// Spans through OpenTelemetry's API alone: without an SDK in the process nothing of this does anything. Names are those of its
// conventions for generative AI; what they lack begins with `gemma.`. No attribute holds what a person or the model wrote.

const SCOPE = "gemma-ts";

/** How a request wants its tokens chosen; null counts as absent. */
export interface SamplingFields {
  readonly maxTokens?: number | null | undefined;
  readonly temperature?: number | null | undefined;
  readonly topP?: number | null | undefined;
  readonly seed?: number | null | undefined;
  readonly choices?: number | null | undefined;
}

/** What a request asks for. */
export interface RequestFields {
  /** `chat`, `text_completion` or `embeddings`. */
  readonly operation: string;
  readonly model?: string | undefined;
  /** `GET`, `/v1/chat/completions`: the route, not the path. */
  readonly method?: string | undefined;
  readonly route?: string | undefined;
  readonly isStream?: boolean | undefined;
  readonly sampling?: SamplingFields | undefined;
  /** Id of the key, not the key. */
  readonly keyId?: string | undefined;
}

/** What came of it. */
export interface OutcomeFields {
  readonly responseModel?: string | undefined;
  readonly finishReasons?: readonly string[] | undefined;
  readonly inputTokens?: number | undefined;
  readonly cachedTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly queueMs?: number | undefined;
  readonly firstTokenMs?: number | undefined;
  readonly decodeMs?: number | undefined;
}

/** The span of a request, from its head to the last byte of its answer. */
export interface RequestSpan {
  /** Calls `work` with the span as the current one, so that spans begun in it lie below. */
  run<T>(work: () => T): T;
  /** May be called more than once. */
  set(outcome: OutcomeFields): void;
  /** Ends the span; an error becomes its status. Later calls do nothing. */
  end(error?: unknown): void;
}

/** Begins the span of a request: below the caller's where its headers name one (`traceparent`). */
export function startRequestSpan(headers: Headers, fields: RequestFields): RequestSpan {
  const parent = propagation.extract(context.active(), headers, {
    get: (carrier, name) => carrier.get(name) ?? undefined,
    keys: (carrier) => [...carrier.keys()],
  });
  const name = fields.model === undefined ? fields.operation : `${fields.operation} ${fields.model}`;
  const attributes = defined({
    "gen_ai.operation.name": fields.operation,
    "gen_ai.provider.name": SCOPE,
    "gen_ai.request.model": fields.model,
    "gen_ai.request.stream": fields.isStream,
    "gen_ai.request.max_tokens": fields.sampling?.maxTokens ?? undefined,
    "gen_ai.request.temperature": fields.sampling?.temperature ?? undefined,
    "gen_ai.request.top_p": fields.sampling?.topP ?? undefined,
    "gen_ai.request.seed": fields.sampling?.seed ?? undefined,
    "gen_ai.request.choice.count": fields.sampling?.choices ?? undefined,
    "http.request.method": fields.method,
    "http.route": fields.route,
    "gemma.key.id": fields.keyId,
  });
  const span = trace.getTracer(SCOPE).startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
  return requestSpan(span, trace.setSpan(parent, span));
}

function requestSpan(span: Span, inside: Context): RequestSpan {
  let isOver = false;
  return {
    run: (work) => context.with(inside, work),
    set: (outcome) => void span.setAttributes(outcomeAttributes(outcome)),
    end(error) {
      if (isOver) return;
      isOver = true;
      if (error !== undefined) fail(span, error);
      span.end();
    },
  };
}

/** Only the kind of error: its message may quote a prompt. */
function fail(span: Span, error: unknown): void {
  const kind = error instanceof GemmaError ? error.code : error instanceof Error ? error.name : "unknown";
  span.setAttribute("error.type", kind);
  span.setStatus({ code: SpanStatusCode.ERROR, message: kind });
}

function outcomeAttributes(outcome: OutcomeFields): Attributes {
  return defined({
    "gen_ai.response.model": outcome.responseModel,
    "gen_ai.response.finish_reasons": outcome.finishReasons && [...outcome.finishReasons],
    "gen_ai.response.time_to_first_chunk": outcome.firstTokenMs && outcome.firstTokenMs / 1000, // seconds by convention
    "gen_ai.usage.input_tokens": outcome.inputTokens,
    "gen_ai.usage.cache_read.input_tokens": outcome.cachedTokens,
    "gen_ai.usage.output_tokens": outcome.outputTokens,
    "gemma.queue_ms": outcome.queueMs,
    "gemma.decode_ms": outcome.decodeMs,
  });
}
