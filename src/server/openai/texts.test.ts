import { afterAll, beforeAll, expect, test } from "vitest";
import { eventsOf, loadTiny, post, tinyServer } from "../../../test/helpers/server.js";
import type { GemmaServer } from "../server.js";

let server: GemmaServer;
beforeAll(async () => {
  server = await tinyServer();
});
afterAll(() => server.dispose());

test("streamed and whole are the same, and the last event has the usage", async () => {
  const hello = { messages: [{ role: "user", content: "fox?" }], max_tokens: 6, temperature: 0 };
  const whole = await (await post(server, "/v1/chat/completions", hello)).json();
  const streamed = { ...hello, stream: true, stream_options: { include_usage: true } };
  const events = await eventsOf(await post(server, "/v1/chat/completions", streamed));
  expect(events.at(-1)).toBe("[DONE]");
  expect(events.at(-2)).toMatchObject({ choices: [], usage: { completion_tokens: whole.usage.completion_tokens } });
  const text = events
    .slice(0, -2)
    .map(({ choices }) => choices[0].delta.content ?? "")
    .join("");
  expect(text).toBe(whole.choices[0].message.content);
  expect(events.at(-3).choices[0].finish_reason).toBe(whole.choices[0].finish_reason);
  expect(events[0].choices[0].delta).toEqual({ role: "assistant", content: "", refusal: null });
});

test("a seeded request gives the same choices again; choices differ", async () => {
  const request = { prompt: "fox", max_tokens: 12, seed: 7, n: 3, ignore_eos: true };
  const texts = async () => {
    const { choices } = await (await post(server, "/v1/completions", request)).json();
    return choices.map(({ text }: { text: string }) => text);
  };
  const [first, second] = await Promise.all([texts(), texts()]);
  expect(second).toEqual(first);
  expect(new Set(first).size).toBe(3);
});

test("an echoed prompt comes with what the model says of it", async () => {
  const gemma = await loadTiny();
  const scores = await gemma.score("the quick fox", { top: 2 });
  await gemma.dispose();
  const request = { prompt: "the quick fox", max_tokens: 0, echo: true, logprobs: 2 };
  const { choices, usage } = await (await post(server, "/v1/completions", request)).json();
  const { tokens, token_logprobs, top_logprobs, text_offset } = choices[0].logprobs;
  expect(choices[0].text).toBe("the quick fox");
  expect(token_logprobs[0]).toBeNull();
  expect(token_logprobs.slice(1)).toEqual(scores.logprobs.slice(1).map((token) => token!.logprob));
  expect(Object.values(top_logprobs[1])).toContain(scores.logprobs[1]!.top[0]!.logprob);
  expect(text_offset.slice(0, 2)).toEqual([0, 0]); // the first token stands for no text
  expect([tokens.length, usage.completion_tokens]).toEqual([scores.ids.length, 0]);
});

test("what the model says of an echoed prompt is not repeated for several choices", async () => {
  const request = { prompt: "fox", max_tokens: 1, echo: true, n: 2 };
  const refused = await post(server, "/v1/completions", { ...request, logprobs: 0 });
  expect([refused.status, (await refused.json()).error.param]).toEqual([400, "n"]);
  const { choices } = await (await post(server, "/v1/completions", request)).json();
  expect(choices.map(({ text }: { text: string }) => text.startsWith("fox"))).toEqual([true, true]);
});

test("embeddings are what the model gives, also in base64 and shortened", async () => {
  const gemma = await loadTiny();
  const vector = await gemma.embed("fox");
  await gemma.dispose();
  const embed = async (more: object) =>
    (await (await post(server, "/v1/embeddings", { input: "fox", ...more })).json()).data[0].embedding;
  const floats: number[] = await embed({});
  expect(floats).toEqual([...vector]);
  const bytes = Buffer.from(await embed({ encoding_format: "base64" }), "base64");
  expect(Array.from({ length: vector.length }, (_, i) => bytes.readFloatLE(4 * i))).toEqual([...vector]);
  const short: number[] = await embed({ dimensions: 4 });
  expect([short.length, Math.hypot(...short)]).toEqual([4, expect.closeTo(1, 5)]);
  expect(short[1]! / short[0]!).toBeCloseTo(vector[1]! / vector[0]!, 5);
});
