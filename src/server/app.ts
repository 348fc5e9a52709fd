import { type Context, Hono } from "hono";
import { GemmaError } from "../base/errors.js";
import { authenticate, challenge } from "./access/auth.js";
import type { Scope } from "./access/keys.js";
import type { RateLimits } from "./access/rate-limits.js";
import { checkHost, corsHeaders } from "./http/guard.js";
import { failureHeaders, httpFailure, openAiError, publicMessage } from "./http/statuses.js";
import { OPERATIONS } from "./operations.js";
import { Call } from "./requests/call.js";
import { addOperation, noSuchPath } from "./routes.js";
import type { App, Env, Serving } from "./serving.js";

/** Paths in Ollama's form: its clients read errors in it. */
const OLLAMA = /^\/api\//;

/** The HTTP application: every request passes the same checks, in this order, before a route sees it. */
export function createApp(serving: Serving, rates: RateLimits): App {
  const app: App = new Hono<Env>({ strict: false });
  app.onError((error, c) => refuse(c, error));
  app.notFound((c) => refuse(c, unknownPath(c)));
  app.use(async (c, next) => {
    const call = new Call(c.req.raw);
    c.set("call", call);
    await next();
    c.res = finished(c, call, serving);
  });
  app.use(async (c, next) => {
    // Kubernetes probes a pod by its address; what it reads there is no secret.
    if (scopeOf(c) !== null) checkHost(c.req.header("host") ?? new URL(c.req.url).host, serving.options.hosts);
    const cors = corsHeaders(c.req.raw, serving.options.origins);
    if (c.req.method === "OPTIONS" && cors) return new Response(null, { status: 204, headers: cors });
    await next();
    for (const [name, value] of Object.entries(cors ?? {})) c.res.headers.append(name, value);
  });
  app.use(async (c, next) => {
    const scope = scopeOf(c);
    if (scope === null) return next();
    const call = c.get("call");
    const limits = authenticate(call, scope, isPage(c), serving.options);
    if (scope !== "inference") return next();
    if (!serving.isOpen) throw new GemmaError("ERR_NOT_READY", "server: is shutting down and takes no new requests");
    serving.calls.add(call); // at once: a drain that begins now waits for it
    call.whenEnded(() => serving.calls.delete(call));
    if (c.req.method === "POST") await rates.take(call.caller.tenant, limits);
    call.rates = limits;
    return next();
  });
  for (const one of OPERATIONS) addOperation(app, serving, one);
  return app;
}

const BY_PATH = groupBy(OPERATIONS, ({ path }) => path);

/** What a key needs for a path. Paths that do not exist need a key like any other: they tell strangers nothing. */
function scopeOf(c: Context<Env>): Scope | null {
  const scope = BY_PATH.get(c.req.path)?.[0]?.scope;
  return scope === undefined ? "inference" : scope;
}

function isPage(c: Context<Env>): boolean {
  return BY_PATH.get(c.req.path)?.some((one) => one.isPage && /^(GET|HEAD)$/.test(c.req.method)) ?? false;
}

function unknownPath(c: Context<Env>): GemmaError {
  const methods = (BY_PATH.get(c.req.path) ?? []).map(({ method }) => method.toUpperCase());
  if (methods.length > 0) c.header("allow", methods.join(", "));
  return methods.length > 0
    ? new GemmaError("ERR_METHOD", `${c.req.path}: takes ${methods.join(", ")}, got ${c.req.method}`)
    : noSuchPath(c.req.path);
}

/** The answer to a request that failed, in the words of the API that it came by. */
function refuse(c: Context<Env>, error: unknown): Response {
  const { status } = httpFailure(error);
  const call = c.get("call") as Call | undefined;
  if (call) call.notes.error = error;
  const body = OLLAMA.test(c.req.path) ? { error: publicMessage(error) } : openAiError(error);
  const asks = status === 401 ? { "www-authenticate": challenge(isPage(c)) } : {};
  return c.json(body, status, { ...failureHeaders(error, status), ...asks });
}

/** The response with what belongs on each one. It is logged and counted once it is complete. */
function finished(c: Context<Env>, call: Call, serving: Serving): Response {
  const { res } = c;
  res.headers.set("x-request-id", call.id);
  res.headers.set("x-content-type-options", "nosniff");
  call.whenEnded(() => record(c, call, serving, res.status));
  if (!call.isStreaming) call.end();
  return res;
}

function record(c: Context<Env>, call: Call, { metrics, log }: Serving, answered: number): void {
  const { error, timings: _, finishReasons: __, ...notes } = call.notes;
  const status = call.signal.aborted && answered === 200 ? httpFailure(call.signal.reason).status : answered;
  const route = call.route ?? (BY_PATH.has(c.req.path) ? c.req.path : "unknown");
  metrics.response(route, status);
  const code = error instanceof GemmaError ? error.code : undefined;
  const seconds = Math.round(call.elapsedSeconds * 1000) / 1000;
  const fields = {
    requestId: call.id,
    method: c.req.method,
    route,
    status,
    caller: call.caller.name,
    ...notes,
    code,
    seconds,
  };
  if (status >= 500 && status !== 503) log.error({ ...fields, err: error }, "request failed");
  else log.info(fields, "request");
}

function groupBy<K, V>(values: readonly V[], keyOf: (value: V) => K): ReadonlyMap<K, readonly V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}
