import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { crash, eventsOf, get, loadTiny, metric, post, settles, tinyServer } from "../../test/helpers/server.js";
import { GemmaError } from "../base/errors.js";
import type { Gemma } from "../runtime/gemma.js";
import { KeyRing, makeKey } from "./access/keys.js";
import { createServer, type GemmaServer } from "./server.js";

const hello = { messages: [{ role: "user", content: "fox?" }], max_tokens: 6, temperature: 0 };
const endless = { prompt: "fox", max_tokens: 240, temperature: 0, ignore_eos: true };

let server: GemmaServer;
beforeAll(async () => {
  server = await tinyServer();
});
afterAll(() => server.dispose());

describe("requests that are given up", () => {
  test("mid-stream, before the first token and in the queue: nothing of them stays", async () => {
    const narrow = await tinyServer({ limits: { concurrentRequests: 2 } });
    const controllers = Array.from({ length: 6 }, () => new AbortController());
    const requests = controllers.map(({ signal }) =>
      post(narrow, "/v1/completions", { ...endless, stream: true }, { signal }),
    );
    const first = await requests[0]!;
    await first.body!.getReader().read();
    for (const controller of controllers) controller.abort();
    const statuses = (await Promise.all(requests.slice(2))).map(({ status }) => status);
    expect(statuses).toEqual([499, 499, 499, 499]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await metric(narrow, "gemma_num_requests_running")).toBe(0);
    expect(await metric(narrow, "gemma_num_requests_waiting")).toBe(0);
    expect((await post(narrow, "/v1/completions", { ...endless, max_tokens: 3 })).status).toBe(200);
    await narrow.dispose();
  });

  test("a body that nobody reads to its end stops the work", async () => {
    const response = await post(server, "/v1/completions", { ...endless, stream: true });
    const reader = response.body!.getReader();
    await reader.read();
    await reader.cancel();
    await settles(server, "gemma_num_requests_running", 0);
  });
});

describe("limits", () => {
  test("a full queue is a 429 that says when to come again", async () => {
    const narrow = await tinyServer({ limits: { concurrentRequests: 1, queueLength: 1 } });
    const answers = await Promise.all(
      [1, 2, 3].map(() => post(narrow, "/v1/completions", { ...endless, max_tokens: 40 })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
    const refused = answers.find(({ status }) => status === 429)!;
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(await refused.json()).toMatchObject({ error: { type: "rate_limit_error", code: "queue_full" } });
    await narrow.dispose();
  });

  test.each([
    ["a prompt beyond the context", "/v1/completions", { prompt: "fox ".repeat(400) }, 400, "context_length_exceeded"],
    [
      "a conversation beyond it",
      "/v1/chat/completions",
      { messages: [{ role: "user", content: "fox ".repeat(400) }] },
      400,
      "context_length_exceeded",
    ],
    [
      "a prompt beyond the server's limit",
      "/v1/completions",
      { prompt: "fox ".repeat(60) },
      400,
      "context_length_exceeded",
    ],
    ["too many choices", "/v1/completions", { prompt: "fox", n: 3 }, 400, "ERR_RANGE"],
    ["too many prompts", "/v1/completions", { prompt: ["a", "b", "c"] }, 400, "ERR_RANGE"],
    ["too many tokens", "/v1/chat/completions", { ...hello, max_tokens: 100 }, 400, "ERR_RANGE"],
    [
      "a schema that cannot be enforced",
      "/v1/completions",
      {
        prompt: "a",
        response_format: { type: "json_schema", json_schema: { name: "x", schema: { type: "number", multipleOf: 3 } } },
      },
      400,
      "invalid_json_schema",
    ],
    [
      "an image",
      "/v1/chat/completions",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      400,
      "ERR_BAD_REQUEST",
    ],
    ["an id that is none", "/v1/completions", { prompt: [99999] }, 400, "ERR_RANGE"],
  ])("%s is refused by name", async (_, path, body, status, code) => {
    const small = await tinyServer({ limits: { choices: 2, batchPrompts: 2, maxTokens: 50, promptTokens: 50 } });
    const response = await post(small, path, body);
    expect([response.status, (await response.json()).error.code]).toEqual([status, code]);
    await small.dispose();
  });
});

describe("who may call", () => {
  test("a key does what its scopes say, and counts against its own limits", async () => {
    const use = makeKey("app", { requestsPerMinute: 2 });
    const metricsOnly = makeKey("prometheus", { scopes: ["metrics"] });
    const own = await tinyServer({ keys: new KeyRing([use.stored, metricsOnly.stored]) });
    const headers = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });
    const status = async (key?: string) =>
      (await post(own, "/v1/completions", { ...endless, max_tokens: 1 }, key ? headers(key) : {})).status;
    expect(await status()).toBe(401);
    expect(await status("gk_aaaaaaaa_wrong")).toBe(401);
    expect(await status(metricsOnly.text)).toBe(403);
    expect([await status(use.text), await status(use.text), await status(use.text)]).toEqual([200, 200, 429]);
    expect((await get(own, "/metrics", headers(metricsOnly.text).headers)).status).toBe(200);
    expect((await get(own, "/metrics", headers(use.text).headers)).status).toBe(403);
    expect((await get(own, "/no/such/path")).status).toBe(401);
    for (const path of ["/healthz", "/readyz"]) expect((await get(own, path)).status).toBe(200);
    await own.dispose();
  });
});

describe("the end", () => {
  test("draining: no new requests, those under way finish, the rest is told", async () => {
    const own = await tinyServer();
    const short = post(own, "/v1/completions", { ...endless, max_tokens: 5 });
    const stream = await post(own, "/v1/completions", { ...endless, stream: true });
    const drained = own.drain(60_000);
    expect(own.ready).toBe(false);
    expect((await get(own, "/readyz")).status).toBe(503);
    expect((await get(own, "/healthz")).status).toBe(200);
    const late = await post(own, "/v1/completions", endless);
    expect([late.status, late.headers.has("retry-after")]).toEqual([503, true]);
    expect((await short).status).toBe(200);
    expect((await eventsOf(stream)).at(-1)).toBe("[DONE]");
    await drained;
    await own.dispose();
  });

  test("what does not finish within the grace period gets an error, not silence", async () => {
    const own = await tinyServer();
    const stream = await post(own, "/v1/completions", { ...endless, stream: true });
    const [events] = await Promise.all([eventsOf(stream), own.drain(1)]);
    expect(events.at(-1)).toMatchObject({ error: { code: "not_ready" } });
    await own.dispose();
  });

  test("an engine that dies: its requests get a clear 500, readiness is off, then it is back", async () => {
    const models: Gemma[] = [];
    const own = createServer(async () => {
      models.push(await loadTiny());
      return models.at(-1)!;
    });
    await own.started;
    const running = post(own, "/v1/completions", endless);
    const stream = await post(own, "/v1/completions", { ...endless, stream: true });
    crash(models[0]!);
    const answer = await running;
    expect([answer.status, (await answer.json()).error.code]).toEqual([500, "ERR_WORKER"]);
    expect((await eventsOf(stream)).at(-1)).toMatchObject({ error: { code: "ERR_WORKER" } });
    expect((await get(own, "/readyz")).status).toBe(503);
    expect((await post(own, "/v1/completions", endless)).status).toBe(503);
    while (!own.ready) await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await post(own, "/v1/completions", { ...endless, max_tokens: 3 })).status).toBe(200);
    expect(await metric(own, "gemma_engine_crashes_total")).toBe(1);
    await own.dispose();
  });
});

test("a request that names no model while it loads is told to wait", async () => {
  const own = createServer(() => new Promise<Gemma>(() => {}));
  expect((await get(own, "/readyz")).status).toBe(503);
  const response = await post(own, "/v1/completions", endless);
  expect([response.status, (await response.json()).error.code]).toEqual([503, "not_ready"]);
  expect(() => createServer(loadTiny, { limits: { choices: 0 } })).toThrow(GemmaError);
});
