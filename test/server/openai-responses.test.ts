import OpenAI, { BadRequestError } from "openai";
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GemmaServer } from "../../src/server/server.js";
import { fetchOf, tinyServer } from "../helpers/server.js";

const weather = {
  type: "object",
  properties: { city: { enum: ["Rome", "Oslo"] } },
  required: ["city"],
  additionalProperties: false,
};
const tool = { type: "function", name: "get_weather", parameters: weather, strict: true } as const;

let server: GemmaServer;
let client: OpenAI;
beforeAll(async () => {
  server = await tinyServer({}, { contextLength: 640 });
  client = new OpenAI({ baseURL: "http://localhost/v1", apiKey: "none", fetch: fetchOf(server), maxRetries: 0 });
});
afterAll(() => server.dispose());

async function streamed(request: OpenAI.Responses.ResponseCreateParamsNonStreaming): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of await client.responses.create({ ...request, stream: true })) events.push(event);
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
  return events;
}

/** Types in order, each once where it follows itself. */
const order = (events: readonly ResponseStreamEvent[]) =>
  events.map(({ type }) => type.replace("response.", "")).filter((type, i, all) => type !== all[i - 1]);

describe("texts", () => {
  const request = { input: "fox?", max_output_tokens: 6, temperature: 0 };

  test("a whole answer", async () => {
    const response = await client.responses.create({ ...request, metadata: { a: "b" }, instructions: "Be brief." });
    expect(response).toMatchObject({
      object: "response",
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      instructions: "Be brief.",
      metadata: { a: "b" },
      store: false,
      previous_response_id: null,
      error: null,
    });
    expect(response.output).toHaveLength(1);
    expect(response.output_text).not.toBe("");
    expect(response.usage).toMatchObject({ output_tokens: 6, output_tokens_details: { reasoning_tokens: 0 } });
    expect(response.usage!.total_tokens).toBe(response.usage!.input_tokens + 6);
  });

  test("events come in OpenAI's order and add up to the whole", async () => {
    const whole = await client.responses.create(request);
    const events = await streamed(request);
    expect(order(events)).toEqual([
      ...["created", "in_progress", "output_item.added", "content_part.added"],
      ...["output_text.delta", "output_text.done", "content_part.done", "output_item.done", "incomplete"],
    ]);
    const deltas = events.flatMap((event) => (event.type === "response.output_text.delta" ? [event.delta] : []));
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.join("")).toBe(whole.output_text);
    const last = events.at(-1)!;
    if (last.type !== "response.incomplete") throw new Error(last.type);
    const { id: _, created_at: __, usage: ___, output, ...rest } = last.response;
    expect(whole).toMatchObject(rest);
    expect(output[0]).toMatchObject({ content: [{ text: whole.output_text }] });
    expect(new Set(events.flatMap((event) => ("item_id" in event ? [event.item_id] : []))).size).toBe(1);
  });

  test("the client's own collector arrives at the last event's response", async () => {
    const stream = client.responses.stream(request);
    let snapshot = "";
    stream.on("response.output_text.delta", (event) => {
      snapshot = event.snapshot;
    });
    const final = await stream.finalResponse();
    expect(final.output_text).toBe(snapshot);
    expect(final.status).toBe("incomplete");
  });

  test("JSON by a schema, parsed by the client; log-probabilities", async () => {
    const parsed = await client.responses.parse({
      input: "fox?",
      seed: 1,
      include: ["message.output_text.logprobs"],
      top_logprobs: 1,
      text: { format: { type: "json_schema", name: "weather", schema: weather, strict: true } },
    } as OpenAI.Responses.ResponseCreateParamsNonStreaming);
    expect(parsed.status).toBe("completed");
    expect(["Rome", "Oslo"]).toContain((parsed.output_parsed as unknown as { city: string }).city);
    const [message] = parsed.output;
    if (message?.type !== "message" || message.content[0]?.type !== "output_text") throw new Error("no text");
    const { logprobs, text } = message.content[0];
    expect(logprobs!.map(({ token }) => token).join("")).toBe(text);
    expect(logprobs![0]!.top_logprobs).toHaveLength(1);
  });

  test("a conversation of items is what the chat API is told as messages", async () => {
    const response = await client.responses.create({
      instructions: "Be brief.",
      input: [
        { role: "user", content: "one" },
        {
          type: "message",
          id: "msg_1",
          status: "completed",
          role: "assistant",
          content: [{ type: "output_text", text: "two", annotations: [] }],
        },
        { role: "user", content: [{ type: "input_text", text: "three" }] },
      ],
      max_output_tokens: 8,
      temperature: 0,
    });
    const chat = await client.chat.completions.create({
      model: "",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "one" },
        { role: "assistant", content: "two" },
        { role: "user", content: "three" },
      ],
      max_tokens: 8,
      temperature: 0,
    });
    expect(response.output_text).toBe(chat.choices[0]!.message.content);
    expect(response.usage!.input_tokens).toBe(chat.usage!.prompt_tokens);
  });
});

describe("calls", () => {
  const request = { input: "fox?", tools: [tool], tool_choice: "required", seed: 5 } as const;

  test("a tool that must be called, and its result", async () => {
    const response = await client.responses.create({
      ...request,
      tools: [tool],
    } as never as OpenAI.Responses.ResponseCreateParamsNonStreaming);
    const [call] = response.output;
    if (call?.type !== "function_call") throw new Error("no call");
    expect([response.status, call.name, response.output.length]).toEqual(["completed", "get_weather", 1]);
    expect(["Rome", "Oslo"]).toContain(JSON.parse(call.arguments).city);
    const after = await client.responses.create({
      input: [
        { role: "user", content: "fox?" },
        call,
        { type: "function_call_output", call_id: call.call_id, output: "12 degrees" },
      ],
      tools: [tool],
      tool_choice: "none",
      max_output_tokens: 4,
    });
    expect(after.output.map(({ type }) => type)).toEqual(["message"]);
  });

  test("streamed", async () => {
    const events = await streamed({
      ...request,
      tools: [tool],
    } as never as OpenAI.Responses.ResponseCreateParamsNonStreaming);
    expect(order(events)).toEqual([
      ...["created", "in_progress", "output_item.added"],
      ...["function_call_arguments.delta", "function_call_arguments.done", "output_item.done", "completed"],
    ]);
    const done = events.find(({ type }) => type === "response.function_call_arguments.done");
    expect(done).toMatchObject({ name: "get_weather", output_index: 0 });
  });
});

describe("refusals", () => {
  test.each<[string, object]>([
    ["previous_response_id", { previous_response_id: "resp_1" }],
    ["conversation", { conversation: "conv_1" }],
    ["prompt", { prompt: { id: "pmpt_1" } }],
    ["background", { background: true }],
    ["reasoning.effort", { reasoning: { effort: "high" } }],
    ["max_output_tokens", { max_output_tokens: -1 }],
    ["tools[0].type", { tools: [{ type: "web_search" }] }],
    ["input[0].content[0].type", { input: [{ role: "user", content: [{ type: "input_image", image_url: "x" }] }] }],
    ["input[0].type", { input: [{ type: "item_reference", id: "msg_1" }] }],
    [
      "input[1].arguments",
      {
        input: [
          { role: "user", content: "x" },
          { type: "function_call", call_id: "c", name: "f", arguments: "[]" },
        ],
      },
    ],
  ])("%s", async (param, fields) => {
    const error = await client.responses.create({ input: "x", ...fields } as never).then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(BadRequestError);
    expect((error as BadRequestError).param).toBe(param);
  });

  test("what would need a store says so", async () => {
    await expect(client.responses.create({ input: "x", previous_response_id: "resp_1" })).rejects.toThrow("keeps no");
    await expect(client.responses.create({ input: "x", background: true })).rejects.toThrow("keeps no");
    expect(await client.responses.create({ input: "x", max_output_tokens: 1, store: true })).toMatchObject({
      store: false,
    });
  });

  test("a conversation that is too long is an error, or loses its beginning where that is asked for", async () => {
    const input = Array.from(
      { length: 150 },
      (_, i) => ({ role: i % 2 ? "assistant" : "user", content: "fox fox fox" }) as const,
    );
    const request = { input: [...input, { role: "user", content: "fox?" } as const], max_output_tokens: 4 };
    await expect(client.responses.create(request)).rejects.toMatchObject({ code: "context_length_exceeded" });
    expect((await client.responses.create({ ...request, truncation: "auto" })).output).toHaveLength(1);
  });
});
