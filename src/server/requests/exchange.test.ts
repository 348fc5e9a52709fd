import { expect, test } from "vitest";
import { loadTiny, metric, post, tinyServer } from "../../../test/helpers/server.js";
import type { Gemma } from "../../runtime/gemma.js";
import { KeyRing, makeKey } from "../access/keys.js";
import { createServer } from "../server.js";

const endless = { prompt: "fox", max_tokens: 240, temperature: 0, ignore_eos: true };
const soon = () => new Promise((resolve) => setTimeout(resolve, 50));

test("a stream that is left before its texts are read gives its place back", async () => {
  const narrow = await tinyServer({ limits: { concurrentRequests: 1, queueLength: 0 } });
  const messages = [{ role: "user", content: "fox?" }];
  const stream = await post(narrow, "/v1/chat/completions", { messages, stream: true, n: 2, max_tokens: 100 });
  await stream.body!.cancel();
  await soon();
  expect((await post(narrow, "/v1/completions", { ...endless, max_tokens: 1 })).status).toBe(200);
  await narrow.dispose();
});

test("a stream that nobody reads gives its place back once its texts are there", async () => {
  const narrow = await tinyServer({ limits: { concurrentRequests: 1, queueLength: 1 } });
  const stream = await post(narrow, "/v1/completions", { ...endless, stream: true, max_tokens: 3 });
  expect((await post(narrow, "/v1/completions", { ...endless, max_tokens: 1 })).status).toBe(200);
  expect(await stream.text()).toContain("[DONE]");
  await narrow.dispose();
});

test("an engine that dies under a stream is a failure of the server, not a client that left", async () => {
  const models: Gemma[] = [];
  const errors: object[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => void errors.push(fields) };
  const load = async () => {
    models.push(await loadTiny());
    return models.at(-1)!;
  };
  const own = createServer(load, { log });
  await own.started;
  const stream = await post(own, "/v1/completions", { ...endless, stream: true });
  const { link } = models[0] as unknown as { link: { close(why: string): void } };
  link.close("the engine's worker has ended");
  expect(await stream.text()).toContain("ERR_WORKER");
  expect(errors).toContainEqual(expect.objectContaining({ route: "/v1/completions", status: 500, code: "ERR_WORKER" }));
  await own.dispose();
});

test("each prompt counts once, each choice counts", async () => {
  const logged: Record<string, unknown>[] = [];
  const log = { debug() {}, warn() {}, error() {}, info: (fields: object) => void logged.push({ ...fields }) };
  const own = await tinyServer({ log });
  const request = { ...endless, prompt: [[5, 6, 7], [8, 9], [10]], n: 2, max_tokens: 4 };
  const { usage } = await (await post(own, "/v1/completions", request)).json();
  expect(usage).toMatchObject({ prompt_tokens: 6, completion_tokens: 24 });
  expect(logged).toContainEqual(expect.objectContaining({ promptTokens: 6, generatedTokens: 24 }));
  expect(await metric(own, "gemma_num_requests_running")).toBe(0);
  await own.dispose();
});

test("tokens of a stream that is left count against the key's rate", async () => {
  const key = makeKey("app", { tokensPerMinute: 8 });
  const own = await tinyServer({ keys: new KeyRing([key.stored]) });
  const ask = (more: object) =>
    post(own, "/v1/completions", { ...endless, ...more }, { headers: { authorization: `Bearer ${key.text}` } });
  const stream = await ask({ prompt: [5, 6, 7, 8, 9, 10, 11, 12], stream: true });
  await stream.body!.cancel();
  await soon();
  expect((await ask({ max_tokens: 1 })).status).toBe(429);
  await own.dispose();
});

test("texts to embed are given up when one of them fails", async () => {
  const own = await tinyServer();
  const texts = Array.from({ length: 40 }, (_, i) => `${i} fox`.repeat(40));
  const response = await post(own, "/v1/embeddings", { input: [...texts, "fox ".repeat(400)] });
  expect(response.status).toBe(400);
  await soon();
  expect(await metric(own, "gemma_num_requests_running")).toBe(0);
  expect(await metric(own, "gemma_num_requests_waiting")).toBe(0);
  await own.dispose();
});

test("many choices are no leak: Node does not warn of their listeners", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on("warning", note);
  const own = await tinyServer();
  expect((await post(own, "/v1/completions", { ...endless, n: 16, max_tokens: 1 })).status).toBe(200);
  process.off("warning", note);
  expect(warnings).toEqual([]);
  await own.dispose();
});

test("a request that came just before a drain has its time", async () => {
  const own = await tinyServer();
  const request = post(own, "/v1/completions", { ...endless, max_tokens: 3 });
  await Promise.all([own.drain(60_000), request]);
  expect((await request).status).toBe(200);
  await own.dispose();
});
