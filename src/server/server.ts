import { GemmaError } from "../base/errors.js";
import type { Gemma } from "../runtime/gemma.js";
import { RateLimits } from "./access/rate-limits.js";
import { createApp } from "./app.js";
import { Models } from "./models.js";
import { openApiDocument } from "./openapi.js";
import { OPERATIONS } from "./operations.js";
import { resolveServerOptions, type ServerLog, type ServerOptions } from "./options/options.js";
import { Admission } from "./requests/admission.js";
import type { Call } from "./requests/call.js";
import type { Serving } from "./serving.js";
import { Supervisor } from "./supervisor.js";
import { Metrics } from "./telemetry/metrics.js";

/** A server as a standard `fetch` handler: it mounts wherever Request and Response are known. */
export interface GemmaServer {
  /** Answers one request. Its signal, where the runtime aborts it, tells that the client has left. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Resolves once the model is loaded; rejects where that fails. Requests get 503 until then. */
  readonly started: Promise<void>;
  /** Whether requests are taken. */
  readonly ready: boolean;
  /** Takes no new requests, waits for those under way, and gives up what is left after `graceMs`. */
  drain(graceMs: number): Promise<void>;
  /** Frees the model; requests under way fail. Idempotent. */
  dispose(): Promise<void>;
}

/** One thread turns texts into tokens: more at once would only take memory, fifty times what a text has. */
const TEXTS_AT_ONCE = 2;

const NO_LOG: ServerLog = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * An OpenAI-compatible server for a model.
 *
 * @param model  what loads the model: then it is loaded again when its engine crashes; or a loaded one, which is not
 * @example
 * const server = createServer(() => Gemma.load("gemma-3-270m"));
 * app.mount("/", server.fetch); // hono; Bun.serve({ fetch: server.fetch }), Deno.serve(server.fetch)
 */
export function createServer(model: Gemma | (() => Promise<Gemma>), options: ServerOptions = {}): GemmaServer {
  const resolved = resolveServerOptions(options);
  const log = resolved.log ?? NO_LOG;
  const supervisor = new Supervisor(model, {
    onChange: (state, error) => {
      if (error) log.error({ state, code: error.code, reason: error.message }, "the engine has ended");
      else log.warn({ state }, "the engine is back");
    },
  });
  const rates = new RateLimits();
  const admission = new Admission(resolved.limits);
  const calls = new Set<Call>();
  let isOpen = true;
  let described: { readonly model: string; readonly document: object } | undefined; // it takes 50 ms to make
  const serving: Serving = {
    options: resolved,
    supervisor,
    models: new Models(supervisor, resolved.aliases),
    admission,
    tokenizing: new Admission({ ...resolved.limits, concurrentRequests: TEXTS_AT_ONCE }),
    metrics: new Metrics(supervisor, admission, resolved.readings),
    log,
    calls,
    get isOpen() {
      return isOpen;
    },
    document() {
      const model = supervisor.state === "ready" ? supervisor.engine.info.name : "gemma";
      if (described?.model !== model) described = { model, document: openApiDocument(OPERATIONS, model) };
      return described.document;
    },
    countTokens(call, tokens) {
      rates.count(call.caller.tenant, tokens, call.rates).catch((error: unknown) => log.error({ err: error }, "rates"));
    },
  };
  const app = createApp(serving, rates);
  const started = supervisor.started.then(() => undefined);
  started.catch(() => {}); // told to whoever awaits it
  return {
    fetch: async (request) => app.fetch(request),
    started,
    get ready() {
      return isOpen && supervisor.state === "ready";
    },
    async drain(graceMs) {
      isOpen = false;
      await withTimeout(whenEmpty(calls), graceMs);
      const error = new GemmaError("ERR_NOT_READY", "server: was shut down before this request was done");
      for (const call of calls) call.abort(error);
      await withTimeout(whenEmpty(calls), LAST_WORDS_MS);
    },
    dispose: () => supervisor.dispose(),
  };
}

/** For responses that were given up to be told so. */
const LAST_WORDS_MS = 1000;

async function whenEmpty(calls: ReadonlySet<Call>): Promise<void> {
  while (calls.size > 0) await Promise.all([...calls].map((call) => new Promise<void>((done) => call.whenEnded(done))));
}

/** Waits for `work`, `ms` at most. */
async function withTimeout(work: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
