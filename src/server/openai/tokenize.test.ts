import { afterAll, beforeAll, expect, test } from "vitest";
import { post, tinyServer } from "../../../test/helpers/server.js";
import type { GemmaServer } from "../server.js";

const long = { prompt: "the quick fox ".repeat(50_000) };

let server: GemmaServer;
beforeAll(async () => {
  server = await tinyServer({ limits: { queueLength: 1, bodyBytes: 32_000_000 } });
});
afterAll(() => server.dispose());

test("a text becomes ids, and these the text", async () => {
  const { tokens, count } = await (await post(server, "/tokenize", { content: "the quick fox" })).json();
  expect(count).toBe(tokens.length);
  const back = await (await post(server, "/detokenize", { tokens: tokens.slice(1) })).json();
  expect(back).toEqual({ prompt: "the quick fox", content: "the quick fox" });
});

test("few texts are at work at once; others wait, and more are a 429", async () => {
  const answers = await Promise.all(Array.from({ length: 5 }, () => post(server, "/tokenize", long)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 429, 429]);
  expect((await post(server, "/tokenize", { prompt: "fox" })).status).toBe(200);
});

test("a client that leaves ends its text", async () => {
  const controller = new AbortController();
  const seconds = { prompt: "the quick fox ".repeat(500_000) }; // of work, where the client is gone after 20 ms
  const left = post(server, "/tokenize", seconds, { signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort();
  expect((await left).status).toBe(499);
});
