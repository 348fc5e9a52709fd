import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeyRing, makeKey } from "../../src/server/index.js";
import type { GemmaServer } from "../../src/server/server.js";
import { fetchOf, settles, tinyServer } from "../helpers/server.js";
import { TINY } from "../helpers/tiny-models.js";

// OpenAI's own client, unchanged but for the address.

const question = [{ role: "user", content: "fox?" }] as const;
const weather = {
  type: "object",
  properties: { city: { enum: ["Rome", "Oslo"] } },
  required: ["city"],
  additionalProperties: false,
};

let server: GemmaServer;
let client: OpenAI;
let model: string;
const connect = (to: GemmaServer, apiKey: string) =>
  new OpenAI({ baseURL: "http://localhost/v1", apiKey, fetch: fetchOf(to), maxRetries: 0 });
beforeAll(async () => {
  server = await tinyServer({}, { adapters: { tuned: TINY.adapter }, contextLength: 640 });
  client = connect(server, "none");
  model = (await client.models.list()).data[0]!.id;
});
afterAll(() => server.dispose());

describe("chat", () => {
  test("whole and streamed give one text", async () => {
    const request = { model, messages: [...question], max_completion_tokens: 6, temperature: 0 };
    const whole = await client.chat.completions.create(request);
    const [choice] = whole.choices;
    expect(choice!.message.content).not.toBe("");
    expect(whole.usage).toMatchObject({ completion_tokens: 6 });
    const runner = client.chat.completions.stream({ ...request, stream_options: { include_usage: true } });
    const deltas: string[] = [];
    runner.on("content.delta", ({ delta }) => deltas.push(delta));
    const final = await runner.finalChatCompletion();
    expect(final.choices[0]!.message.content).toBe(choice!.message.content);
    expect(deltas.join("")).toBe(choice!.message.content);
    expect(final.choices[0]!.finish_reason).toBe(choice!.finish_reason);
    expect(final.usage!.total_tokens).toBe(whole.usage!.total_tokens);
  });

  test("several choices, log-probabilities with alternatives", async () => {
    const { choices } = await client.chat.completions.create({
      model,
      messages: [...question],
      max_tokens: 4,
      n: 3,
      seed: 1,
      logprobs: true,
      top_logprobs: 2,
    });
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    for (const { logprobs, message } of choices) {
      const bytes = logprobs!.content!.flatMap((token) => token.bytes!);
      expect(Buffer.from(bytes).toString()).toBe(message.content);
      for (const { top_logprobs: top } of logprobs!.content!) expect(top).toHaveLength(2);
    }
  });

  test("JSON by a schema, parsed by the client", async () => {
    const parsed = await client.chat.completions.parse({
      model,
      messages: [...question],
      seed: 3,
      response_format: { type: "json_schema", json_schema: { name: "weather", strict: true, schema: weather } },
    });
    expect(["Rome", "Oslo"]).toContain((parsed.choices[0]!.message.parsed as unknown as { city: string }).city);
  });

  test("a tool that must be called, whole and streamed, and its result", async () => {
    const tool = { type: "function", function: { name: "get_weather", parameters: weather, strict: true } } as const;
    const request = { model, messages: [...question], tools: [tool], tool_choice: "required", seed: 5 } as const;
    const { choices } = await client.chat.completions.create({ ...request, messages: [...question], tools: [tool] });
    const { finish_reason: reason, message } = choices[0]!;
    expect([reason, message.content]).toEqual(["tool_calls", null]);
    const call = message.tool_calls![0]!;
    if (call.type !== "function") throw new Error("not a function");
    expect(call.function.name).toBe("get_weather");
    expect(["Rome", "Oslo"]).toContain(JSON.parse(call.function.arguments).city);

    const runner = client.chat.completions.stream({ ...request, messages: [...question], tools: [tool] });
    const streamed = (await runner.finalChatCompletion()).choices[0]!;
    expect(streamed.finish_reason).toBe("tool_calls");
    expect(streamed.message.tool_calls![0]).toMatchObject({ id: call.id, function: { name: "get_weather" } });

    const after = await client.chat.completions.create({
      model,
      messages: [...question, message, { role: "tool", tool_call_id: call.id, content: "12 degrees" }],
      tools: [tool],
      tool_choice: "none",
      max_tokens: 4,
    });
    expect(after.choices[0]!.message.tool_calls).toBeUndefined();
  });

  test("leaving a stream ends the request on the server", async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: [...question],
      max_tokens: 200,
      stream: true,
    });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    await settles(server, "gemma_num_requests_running", 0);
  });
});

describe("completions", () => {
  test("an echoed prompt with log-probabilities", async () => {
    const { choices, usage } = await client.completions.create({
      model,
      prompt: "the quick fox",
      max_tokens: 2,
      echo: true,
      logprobs: 1,
      temperature: 0,
    });
    const { text, logprobs } = choices[0]!;
    expect(text.startsWith("the quick fox")).toBe(true);
    expect(logprobs!.token_logprobs!.slice(1).every((value) => value <= 0)).toBe(true);
    expect(logprobs!.tokens).toHaveLength(usage!.prompt_tokens + 2);
  });

  test("several prompts, streamed", async () => {
    const request = { model, prompt: ["the quick", "the slow"], max_tokens: 3, temperature: 0 } as const;
    const whole = await client.completions.create({ ...request, prompt: [...request.prompt] });
    const texts = ["", ""];
    const stream = await client.completions.create({ ...request, prompt: [...request.prompt], stream: true });
    for await (const { choices } of stream) for (const { index, text } of choices) texts[index] += text;
    expect(texts).toEqual(whole.choices.map(({ text }) => text));
  });
});

describe("embeddings and models", () => {
  test("floats and the client's own base64 are the same, whole and shortened", async () => {
    for (const more of [{}, { dimensions: 8 }]) {
      const floats = await client.embeddings.create({
        model,
        input: ["fox", "dog"],
        encoding_format: "float",
        ...more,
      });
      const packed = await client.embeddings.create({ model, input: ["fox", "dog"], ...more }); // base64, unpacked by the client
      expect(packed.data).toEqual(floats.data);
      expect(floats.data[1]!.embedding).toHaveLength("dimensions" in more ? 8 : 64);
    }
  });

  test("the list has the model and its adapters, and each is found by its name", async () => {
    const ids: string[] = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toEqual([model, `${model}:tuned`]);
    for (const id of ids) expect((await client.models.retrieve(id)).id).toBe(id);
  });
});

describe("errors", () => {
  const failure = async (promise: Promise<unknown>): Promise<APIError> => {
    const error = await promise.then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(APIError);
    return error as APIError;
  };

  test("a bad field is named", async () => {
    const error = await failure(client.chat.completions.create({ model, messages: [...question], temperature: 9 }));
    expect(error).toBeInstanceOf(BadRequestError);
    expect([error.param, error.type]).toEqual(["temperature", "invalid_request_error"]);
    const deep = await failure(
      client.chat.completions.create({ model, messages: [{ role: "user", content: 5 as never }] }),
    );
    expect(deep.param).toMatch(/^messages\[0\]\.content/);
  });

  test("an unknown model and a wrong key", async () => {
    const missing = await failure(client.chat.completions.create({ model: "gpt-5", messages: [...question] }));
    expect([missing instanceof NotFoundError, missing.code]).toEqual([true, "model_not_found"]);
    const key = makeKey("mine");
    const closed = await tinyServer({ keys: new KeyRing([key.stored]) });
    expect((await connect(closed, key.text).models.list()).data).toHaveLength(1);
    const wrong = await failure(
      connect(closed, `${key.text.slice(0, -1)}_`)
        .models.list()
        .asResponse(),
    );
    expect([wrong instanceof AuthenticationError, wrong.code]).toEqual([true, "invalid_api_key"]);
    expect(wrong.requestID).toMatch(/./);
    await closed.dispose();
  });

  test("a prompt longer than the context", async () => {
    const long = "fox ".repeat(1000);
    const error = await failure(client.completions.create({ model, prompt: long }));
    expect([error.status, error.code]).toEqual([400, "context_length_exceeded"]);
    const chat = await failure(client.chat.completions.create({ model, messages: [{ role: "user", content: long }] }));
    expect([chat.status, chat.code]).toEqual([400, "context_length_exceeded"]);
  });
});
