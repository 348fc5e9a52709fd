import { Ollama } from "ollama";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServer, type GemmaServer } from "../../src/server/server.js";
import { crash, fetchOf, loadTiny, settles, tinyServer } from "../helpers/server.js";
import { TINY } from "../helpers/tiny-models.js";

// Ollama's own client, unchanged but for the address.

const weather = {
  type: "object",
  properties: { city: { enum: ["Rome", "Oslo"] } },
  required: ["city"],
  additionalProperties: false,
};
const tool = { type: "function", function: { name: "get_weather", strict: true, parameters: weather } };
const messages = [{ role: "user", content: "fox?" }];

let server: GemmaServer;
let client: Ollama;
let model: string;
beforeAll(async () => {
  server = await tinyServer({ aliases: ["llama3.2"] }, { adapters: { tuned: TINY.adapter }, contextLength: 640 });
  client = new Ollama({ host: "http://localhost", fetch: fetchOf(server) });
  model = (await client.list()).models[0]!.name;
});
afterAll(() => server.dispose());

describe("models", () => {
  test("the list, what is loaded, and the version", async () => {
    const { models } = await client.list();
    expect(models.map(({ name }) => name)).toEqual([
      "gemma3.q8_0.gguf:latest",
      "llama3.2:latest",
      "gemma3.q8_0.gguf:tuned",
    ]);
    const [first] = models;
    expect(first).toMatchObject({ details: { format: "gguf", family: "gemma3", quantization_level: "Q8_0" } });
    expect(first!.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(models.map(({ digest }) => digest)).size).toBe(2); // an alias is the same model
    expect(first!.size).toBeGreaterThan(100_000);
    expect(new Date(first!.modified_at).getTime()).toBeGreaterThan(0);
    const loaded = (await client.ps()).models;
    expect(loaded.map(({ name }) => name)).toEqual(models.map(({ name }) => name));
    expect(new Date(loaded[0]!.expires_at).getTime()).toBeGreaterThan(Date.now());
    expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test("one model, by any of its names", async () => {
    for (const name of [model, "llama3.2", "gemma3.q8_0.gguf"]) {
      const shown = await client.show({ model: name });
      expect(shown.capabilities).toEqual(["completion", "tools"]);
      expect(shown.model_info).toMatchObject({ "general.architecture": "gemma3", "gemma3.context_length": 640 });
    }
    await expect(client.show({ model: "mistral" })).rejects.toMatchObject({ status_code: 404 });
  });

  test.each(["pull", "push", "delete"] as const)("%s says what to do instead", async (method) => {
    await expect(client[method]({ model: "x" })).rejects.toMatchObject({
      status_code: 400,
      error: expect.stringMatching(/not supported.*gemma pull/),
    });
  });

  test("create and copy do as well", async () => {
    await expect(client.create({ model: "x", from: "y" })).rejects.toMatchObject({ status_code: 400 });
    await expect(client.copy({ source: "x", destination: "y" })).rejects.toMatchObject({ status_code: 400 });
  });
});

describe("chat", () => {
  const options = { num_predict: 6, temperature: 0, num_ctx: 4096, mirostat: 0 };

  test("whole and streamed give one text, and both end with their times", async () => {
    const whole = await client.chat({ model, messages, options, think: false, keep_alive: "5m" });
    expect(whole).toMatchObject({ model, done: true, done_reason: "length", eval_count: 6 });
    expect(whole.message).toMatchObject({ role: "assistant" });
    for (const value of [whole.total_duration, whole.prompt_eval_duration, whole.eval_duration]) {
      expect(Number.isInteger(value) && value > 1000).toBe(true);
    }
    expect(whole.total_duration).toBeGreaterThanOrEqual(whole.eval_duration + whole.prompt_eval_duration);
    const parts = [];
    for await (const part of await client.chat({ model, messages, options, stream: true })) parts.push(part);
    expect(parts.map(({ message }) => message.content).join("")).toBe(whole.message.content);
    expect(parts.map(({ done }) => done)).toEqual([...parts.slice(1).map(() => false), true]);
    expect(parts.at(-1)).toMatchObject({ done_reason: "length", prompt_eval_count: whole.prompt_eval_count });
  });

  test("streaming is the default of the API", async () => {
    const response = await server.fetch(
      new Request("http://localhost/api/chat", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, messages, options }),
      }),
    );
    expect(response.headers.get("content-type")).toContain("application/x-ndjson");
    const lines = (await response.text()).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).done).at(-1)).toBe(true);
  });

  test("JSON by a schema, and any JSON", async () => {
    const { message } = await client.chat({ model, messages, format: weather, options: { seed: 1 } });
    expect(["Rome", "Oslo"]).toContain(JSON.parse(message.content).city);
    const any = await client.chat({ model, messages, format: "json", options: { num_predict: 3 } });
    expect(any.message.content).toMatch(/^\{/);
  });

  test("log-probabilities", async () => {
    const { message, logprobs } = await client.chat({ model, messages, options, logprobs: true, top_logprobs: 2 });
    expect(logprobs!.map(({ token }) => token).join("")).toBe(message.content);
    expect(logprobs!.every(({ top_logprobs: top }) => top!.length === 2)).toBe(true);
    const streamed = [];
    for await (const part of await client.chat({ model, messages, options, logprobs: true, stream: true })) {
      streamed.push(...(part.logprobs ?? []));
    }
    expect(streamed.map(({ logprob }) => logprob)).toEqual(logprobs!.map(({ logprob }) => logprob));
  });

  test("calls of tools have arguments as objects, and results go back without ids", async () => {
    // Ollama's API has no tool_choice: the schema makes the model write a call.
    const format = {
      type: "object",
      properties: { name: { const: "get_weather" }, parameters: weather },
      required: ["name", "parameters"],
      additionalProperties: false,
    };
    const request = { model, messages, tools: [tool], format, options: { seed: 2 } };
    const { message, done_reason: reason } = await client.chat(request);
    expect([reason, message.content]).toEqual(["stop", ""]);
    const [call] = message.tool_calls!;
    expect(call!.function.name).toBe("get_weather");
    expect(["Rome", "Oslo"]).toContain(call!.function.arguments.city);
    const parts = [];
    for await (const part of await client.chat({ ...request, stream: true })) parts.push(part);
    expect(parts.flatMap((part) => part.message.tool_calls ?? [])).toMatchObject([{ function: call!.function }]);
    const after = await client.chat({
      model,
      messages: [
        ...messages,
        { role: "assistant", content: "", tool_calls: [{ function: call!.function }] },
        { role: "tool", tool_name: "get_weather", content: "12 degrees" },
      ],
      tools: [tool],
      options,
    });
    expect(after.eval_count).toBe(6);
  });

  test("no messages: the load answer", async () => {
    expect(await client.chat({ model })).toMatchObject({ done: true, done_reason: "load", message: { content: "" } });
    await expect(client.chat({ model: "mistral" })).rejects.toMatchObject({ status_code: 404 });
  });

  test("aborting a stream ends the request on the server", async () => {
    const stream = await client.chat({ model, messages, options: { num_predict: 200 }, stream: true });
    const read = async () => {
      for await (const _ of stream) stream.abort();
    };
    await expect(read()).rejects.toThrow("the client has left");
    await settles(server, "gemma_num_requests_running", 0);
  });
});

describe("generate", () => {
  const options = { num_predict: 6, temperature: 0 };

  test("whole, streamed and raw: a pre-trained model goes on with the text", async () => {
    const whole = await client.generate({ model, prompt: "the quick", options });
    expect(whole).toMatchObject({ model, done: true, done_reason: "length", eval_count: 6 });
    let text = "";
    for await (const part of await client.generate({ model, prompt: "the quick", options, stream: true }))
      text += part.response;
    expect(text).toBe(whole.response);
    const raw = await client.generate({ model, prompt: "the quick", raw: true, options });
    expect(raw.response).toBe(whole.response);
    const told = await client.generate({ model, prompt: "the quick", system: "Be brief.", options });
    expect(told.prompt_eval_count).toBeGreaterThan(whole.prompt_eval_count);
  });

  test("an adapter by its tag; a seed; stops", async () => {
    const request = { prompt: "the quick", options: { ...options, num_predict: 20, temperature: 1, seed: 4 } };
    const text = async (name: string): Promise<string> =>
      (await client.generate({ ...request, model: name })).response ?? "";
    const [plain, again, tuned] = await Promise.all([text(model), text(model), text("gemma3.q8_0.gguf:tuned")]);
    expect(again).toBe(plain);
    expect(tuned).not.toBe(plain);
    const stop = plain.slice(2, 4);
    const short = await client.generate({ ...request, model, options: { ...request.options, stop: [stop] } });
    expect([short.response, short.done_reason]).toEqual([plain.slice(0, plain.indexOf(stop)), "stop"]);
  });

  test("an instruction-tuned model is asked, as in a chat; raw is raw still", async () => {
    const gemma = await loadTiny();
    Object.assign(gemma, { info: { ...gemma.info, chatStyle: "gemma" } });
    const tuned = createServer(gemma);
    await tuned.started;
    const asked = new Ollama({ host: "http://localhost", fetch: fetchOf(tuned) });
    const request = { model, prompt: "fox", options };
    const [answer, system, raw] = [
      await asked.generate(request),
      await asked.generate({ ...request, system: "Be brief." }),
      await asked.generate({ ...request, raw: true }),
    ];
    const chat = await asked.chat({ model, messages: [{ role: "user", content: "fox" }], options });
    expect([answer.response, answer.prompt_eval_count]).toEqual([chat.message.content, chat.prompt_eval_count]);
    expect(system.prompt_eval_count).toBeGreaterThan(answer.prompt_eval_count);
    expect(raw.prompt_eval_count).toBeLessThan(answer.prompt_eval_count);
    await tuned.dispose();
  });

  test("no prompt: the load answer", async () => {
    expect(await client.generate({ model, prompt: "" })).toMatchObject({
      done: true,
      done_reason: "load",
      response: "",
    });
  });

  test.each<[string, object]>([
    ["suffix", { suffix: "end" }],
    ["images", { images: ["aGk="] }],
    ["template", { template: "{{ .Prompt }}" }],
    ["context", { context: [1, 2] }],
    ["think", { think: true }],
    ["options.temperature", { options: { temperature: -1 } }],
    ["options.stop", { options: { stop: [""] } }],
    ["format", { format: 5 }],
    ["system", { raw: true, system: "x" }],
  ])("%s is refused by its name", async (field, fields) => {
    await expect(client.generate({ model, prompt: "x", ...fields } as never)).rejects.toMatchObject({
      status_code: 400,
      error: expect.stringMatching(new RegExp(`^${field}`)),
    });
  });
});

describe("embeddings", () => {
  test("several texts, fewer dimensions, and what is too long is cut", async () => {
    const { embeddings, prompt_eval_count: tokens } = await client.embed({ model, input: ["fox", "dog"] });
    expect(embeddings.map(({ length }) => length)).toEqual([64, 64]);
    expect(Math.hypot(...embeddings[0]!)).toBeCloseTo(1, 5);
    const one = await client.embed({ model, input: "fox" });
    expect(one.embeddings).toEqual([embeddings[0]]);
    expect(tokens).toBeGreaterThan(one.prompt_eval_count);
    expect((await client.embed({ model, input: "fox", dimensions: 8 })).embeddings[0]).toHaveLength(8);
    expect(await client.embed({ model, input: [] })).toMatchObject({ embeddings: [] });
    const long = "fox ".repeat(1000);
    expect((await client.embed({ model, input: long })).prompt_eval_count).toBe(640);
    await expect(client.embed({ model, input: long, truncate: false })).rejects.toMatchObject({ status_code: 400 });
    expect((await client.embeddings({ model, prompt: "fox" })).embedding).toEqual(embeddings[0]);
  });
});

test("an error in a stream is a line of it", async () => {
  const gemma = await loadTiny();
  const own = createServer(gemma);
  await own.started;
  const ollama = new Ollama({ host: "http://localhost", fetch: fetchOf(own) });
  const request = { model: "gemma3.q8_0.gguf", prompt: "x", stream: true, options: { num_predict: 250 } } as const;
  const read = async () => {
    for await (const _ of await ollama.generate(request)) crash(gemma);
  };
  await expect(read()).rejects.toThrow("the engine has died under this request");
  await own.dispose();
});
