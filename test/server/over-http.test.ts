import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OpenAiEndpoint } from "../../src/lm/openai-endpoint.js";
import type { Gemma } from "../../src/runtime/gemma.js";
import { GemmaLanguageModel } from "../../src/runtime/language-model.js";
import { createServer, type GemmaServer } from "../../src/server/index.js";
import { type Listener, listen } from "../../src/server/port/listen.js";
import { loadTiny, settles } from "../helpers/server.js";

// The clients and our own evaluation over a port of this machine.

let gemma: Gemma;
let server: GemmaServer;
let listener: Listener;
beforeAll(async () => {
  gemma = await loadTiny();
  server = createServer(gemma);
  await server.started;
  listener = await listen(server.fetch, { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await listener.close(1000);
  await server.dispose();
});

describe("clients", () => {
  test("OpenAI's: a stream, an error, and leaving a stream", async () => {
    const client = new OpenAI({ baseURL: `${listener.url}/v1`, apiKey: "none", maxRetries: 0 });
    const messages = [{ role: "user", content: "fox?" } as const];
    const request = { model: "", messages, max_tokens: 6, temperature: 0 };
    const whole = await client.chat.completions.create(request);
    let text = "";
    for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
      text += choices[0]?.delta.content ?? "";
    }
    expect(text).toBe(whole.choices[0]!.message.content);
    expect((await client.responses.create({ input: "fox?", max_output_tokens: 6, temperature: 0 })).output_text).toBe(
      text,
    );
    await expect(client.chat.completions.create({ ...request, n: 99 })).rejects.toMatchObject({
      status: 400,
      param: "n",
    });

    for await (const _ of await client.chat.completions.create({ ...request, max_tokens: 200, stream: true })) break;
    await settles(server, "gemma_num_requests_running", 0);
  });

  test("Ollama's: a list, a stream, an error, and aborting", async () => {
    const client = new Ollama({ host: listener.url });
    const model = (await client.list()).models[0]!.name;
    const request = { model, prompt: "the quick", options: { num_predict: 6, temperature: 0 } };
    const whole = await client.generate(request);
    let text = "";
    for await (const { response } of await client.generate({ ...request, stream: true })) text += response;
    expect(text).toBe(whole.response);
    await expect(client.generate({ ...request, model: "mistral" })).rejects.toMatchObject({ status_code: 404 });

    const endless = await client.generate({ ...request, options: { num_predict: 200 }, stream: true });
    const read = async () => {
      for await (const _ of endless) client.abort();
    };
    await expect(read()).rejects.toThrow(/abort/i);
    await settles(server, "gemma_num_requests_running", 0);
  });

  test("a browser: the page, its scripts, and no body for HEAD", async () => {
    const page = await fetch(`${listener.url}/docs`, { headers: { accept: "text/html" } });
    expect([page.url, page.status]).toEqual([`${listener.url}/docs`, 200]);
    const script = await fetch(new URL("docs/swagger-ui-bundle.js", page.url));
    expect([script.status, (await script.text()).includes("SwaggerUIBundle")]).toEqual([200, true]);
    const head = await fetch(`${listener.url}/api/tags`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });
});

test("evaluation through the endpoint sees the log-probabilities that the model gives in-process", async () => {
  const [inside, outside] = [
    new GemmaLanguageModel(gemma),
    new OpenAiEndpoint({ url: `${listener.url}/v1`, model: gemma.info.name }),
  ];
  const pairs = ["the quick brown", "", "Ünïcödé 🙂 text", "ends with space "].flatMap((context) =>
    [" fox", " jumps over", "é🙂", "!"].map((continuation) => ({ context, continuation })),
  );
  const [expected, got] = [await inside.logprobs(pairs), await outside.logprobs(pairs)];
  for (const [i, { sum, tokens, isGreedy }] of got.entries()) {
    const [pair, wanted] = [pairs[i], expected[i]!];
    expect([pair, tokens.map(({ logprob }) => logprob)]).toEqual([pair, wanted.tokens.map(({ logprob }) => logprob)]);
    expect([pair, sum, isGreedy]).toEqual([pair, wanted.sum, wanted.isGreedy]);
  }
  const prompts = ["the quick brown", "the slow"];
  const options = { maxTokens: 8, stop: ["\n"] };
  const texts = async (model: GemmaLanguageModel | OpenAiEndpoint) =>
    (await model.generate(prompts, options)).map(({ text, finishReason }) => [text, finishReason]);
  expect(await texts(outside)).toEqual(await texts(inside));
});
