import { AIMessage, type AIMessageChunk, HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { TINY } from "../../../test/helpers/tiny-models.js";
import { Gemma } from "../../runtime/gemma.js";
import { ChatGemma } from "./index.js";

let gemma: Gemma;
let model: ChatGemma;
beforeAll(async () => {
  const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 1024 } as const;
  gemma = await Gemma.load(TINY.gemma1, options);
  model = new ChatGemma({ gemma, seed: 1 });
});
afterAll(() => gemma.dispose());

const schema = z.object({ place: z.enum(["Bern", "Rome"]) });
const weather = tool(async ({ place }) => `rain in ${place}`, {
  name: "weather",
  description: "Says the weather.",
  schema,
});
const calling = (options: object = {}) =>
  model.bindTools([weather], { tool_choice: "any", parallel_tool_calls: false, ...options });

test("a call, its result, and the answer that follows", async () => {
  const question = new HumanMessage("fox?");
  const asked = await calling().invoke([question]);
  const [call] = asked.tool_calls!;
  expect([asked.text, asked.response_metadata.finish_reason]).toEqual(["", "tool_calls"]);
  expect(call).toEqual({ type: "tool_call", id: expect.any(String), name: "weather", args: schema.parse(call!.args) });
  const result = await weather.invoke(call!);
  const answer = vi.spyOn(gemma, "answer");
  const answered = await calling({ tool_choice: "none", maxTokens: 4 }).invoke([question, asked, result]);
  expect(answered.tool_calls).toEqual([]);
  expect(answer.mock.lastCall![0]).toEqual([
    { role: "user", content: "fox?" },
    { role: "assistant", content: "", toolCalls: [{ id: call!.id, name: "weather", arguments: call!.args }] },
    { role: "tool", content: `rain in ${call!.args.place}`, toolCallId: call!.id },
  ]);
  expect(answer.mock.lastCall![1]).toMatchObject({
    tools: [{ name: "weather", description: "Says the weather.", parameters: { required: ["place"] } }],
    toolChoice: "none",
    parallelToolCalls: false,
  });
  answer.mockRestore();
});

test("a stream has the call as chunks", async () => {
  const chunks: AIMessageChunk[] = [];
  for await (const chunk of await calling({ tool_choice: "weather" }).stream("fox?")) chunks.push(chunk);
  const whole = chunks.reduce((sum, chunk) => sum.concat(chunk));
  expect(chunks.at(-1)!.tool_call_chunks).toMatchObject([{ name: "weather", index: 0, args: expect.any(String) }]);
  expect(whole.tool_calls).toMatchObject([{ name: "weather", args: schema.parse(whole.tool_calls![0]!.args) }]);
});

test("tools in OpenAI's form, and its form of a choice; other forms are refused at once", async () => {
  const definition = { type: "function", function: { name: "f", parameters: { type: "object", properties: {} } } };
  const tool_choice = { type: "function", function: { name: "f" } };
  const { tool_calls } = await model.bindTools([definition], { tool_choice }).invoke("fox?");
  expect(tool_calls).toMatchObject([{ name: "f", args: {} }]);
  expect(() => model.bindTools([{ name: "f" }])).toThrow("tools: must be tools of LangChain or");
  await expect(model.invoke("fox?", { tools: [definition], tool_choice: { any: 1 } })).rejects.toThrow("tool_choice");
});

test("structured output by a call that must come", async () => {
  const method = "functionCalling";
  const place = await model.withStructuredOutput(schema, { method }).invoke("fox?");
  expect(schema.parse(place)).toEqual(place);
  const named = { title: "where", ...z.toJSONSchema(schema) };
  const { raw, parsed } = await model.withStructuredOutput(named, { method, includeRaw: true }).invoke("fox?");
  expect(raw).toBeInstanceOf(AIMessage);
  expect((raw as AIMessage).tool_calls).toMatchObject([{ name: "where", args: parsed }]);
});
