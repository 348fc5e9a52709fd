import type { z } from "@hono/zod-openapi";
import type { Call } from "./call.js";
import { readJsonBody } from "./http/body.js";
import type { Scope } from "./keys.js";
import { errorSchema, parseBody } from "./openai/fields.js";
import type { App, Serving } from "./serving.js";
import { type RequestSpan, startRequestSpan } from "./tracing.js";

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
  /** Of a complete answer; a type of content where it is not JSON. */
  readonly response: z.ZodType | string;
  /** The word for it in traces; none: it has no span. */
  readonly span?: "chat" | "text_completion" | "embeddings";
  /** Answers come as events where the request asks for them. */
  readonly streams?: "text/event-stream" | "application/x-ndjson";
  readonly handle: (
    serving: Serving,
    call: Call,
    input: z.output<Body>,
    params: Params,
  ) => Promise<Response> | Response;
}

export type Params = Readonly<Record<string, string>>;

/** Keeps the type of a body for its handler. */
export function operation<Body extends z.ZodType>(definition: Operation<Body>): Operation<z.ZodType> {
  return definition as unknown as Operation<z.ZodType>;
}

/** Adds an operation to the app and to its OpenAPI document. */
export function addOperation(app: App, serving: Serving, one: Operation<z.ZodType>): void {
  app.on(one.method.toUpperCase(), one.path, async (c) => {
    const call = c.get("call");
    call.route = one.path;
    const body = one.body && parseBody(one.body, await readJsonBody(c.req.raw, serving.options.limits.bodyBytes));
    const { logPrompts } = serving.options;
    if (logPrompts && body) serving.log.info({ requestId: call.id, input: body }, "request body");
    const run = () => one.handle(serving, call, body, c.req.param() as Params);
    return one.span === undefined ? run() : spanOf(one.span, one, call, body).run(run);
  });
  describe(app, one);
}

/** The span of a call, from here to the end of its answer. */
function spanOf(name: string, one: Operation<z.ZodType>, call: Call, body: unknown): RequestSpan {
  const fields = body as { readonly model?: string | null; readonly stream?: boolean | null };
  const span = startRequestSpan(call.request.headers, {
    operation: name,
    model: fields.model ?? undefined,
    method: one.method.toUpperCase(),
    route: one.path,
    isStream: fields.stream ?? false,
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

function describe(
  app: App,
  { method, path, summary, tag, body, response, streams, scope }: Operation<z.ZodType>,
): void {
  const content = typeof response === "string" ? { [response]: { schema: TEXT } } : json(response);
  const events = streams === undefined ? {} : { [streams]: { schema: TEXT } };
  const failure = (description: string) => ({ description, content: json(errorSchema) });
  app.openAPIRegistry.registerPath({
    method,
    path: path.replace(/:(\w+)/g, "{$1}"),
    summary,
    tags: [tag],
    security: scope === null ? [] : [{ key: [] }],
    request: {
      ...(body === undefined ? {} : { body: { required: true, content: json(body) } }),
    },
    parameters: Array.from(path.matchAll(/:(\w+)/g), ([, name]) => ({
      name: name!,
      in: "path" as const,
      required: true,
      schema: { type: "string" as const },
    })),
    responses: {
      200: { description: "The answer.", content: { ...content, ...events } },
      400: failure("The request is not what the API takes."),
      401: failure("A key is missing, unknown or expired."),
      403: failure("The host, the origin or the key may not do this."),
      404: failure("No such model or path."),
      413: failure("The body is too large."),
      415: failure("The body is not JSON."),
      429: failure("Too many requests wait, or the key's rate is used up."),
      500: failure("The engine has failed."),
      503: failure("The model is loading or restarting, or the server is overloaded or shutting down."),
    },
  });
}

const TEXT = { type: "string" as const };

function json(schema: z.ZodType) {
  return { "application/json": { schema } };
}
