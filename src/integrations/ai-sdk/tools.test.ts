import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { generateText, isStepCount, streamText, tool } from "ai";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { TINY } from "../../../test/helpers/tiny-models.js";
import { Gemma } from "../../runtime/gemma.js";
import { createGemma, type GemmaProvider } from "./index.js";

let model: Gemma;
let gemma: GemmaProvider;
beforeAll(async () => {
  const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 1024 } as const;
  model = await Gemma.load(TINY.gemma1, options);
  gemma = createGemma(model);
});
afterAll(() => model.dispose());

const inputSchema = z.object({ place: z.enum(["Bern", "Rome"]) });
const weather = tool({
  description: "Says the weather.",
  inputSchema,
  execute: async ({ place }) => `rain in ${place}`,
});
const once = { providerOptions: { gemma: { parallelToolCalls: false } } };

test("a call, its result, and the answer that follows", async () => {
  const answer = vi.spyOn(model, "answer");
  const { steps, text } = await generateText({
    model: gemma(),
    prompt: "fox?",
    seed: 1,
    maxOutputTokens: 80,
    tools: { weather },
    toolChoice: "required",
    stopWhen: isStepCount(2),
    prepareStep: ({ stepNumber }) => (stepNumber === 0 ? {} : { toolChoice: "none" }),
    ...once,
  });
  const [first, second] = steps;
  const [call] = first!.toolCalls;
  expect([first!.finishReason, first!.text, first!.content.length]).toEqual(["tool-calls", "", 2]); // the call, its result
  const { toolCallId: id, toolName: name } = call!;
  const input = inputSchema.parse(call!.input);
  expect(first!.toolResults[0]!.output).toBe(`rain in ${input.place}`);
  expect([second!.text, second!.toolCalls]).toEqual([text, []]);
  expect(answer.mock.lastCall![0]).toEqual([
    { role: "user", content: "fox?" },
    { role: "assistant", content: "", toolCalls: [{ id, name, arguments: input }] },
    { role: "tool", content: `rain in ${input.place}`, toolCallId: id },
  ]);
  expect(answer.mock.calls[0]![1]).toMatchObject({
    tools: [{ name: "weather", description: "Says the weather.", parameters: { type: "object", required: ["place"] } }],
    toolChoice: "required",
    parallelToolCalls: false,
  });
  answer.mockRestore();
});

test("a stream has the call's parts in their order", async () => {
  const streamed = streamText({
    model: gemma(),
    prompt: "fox?",
    seed: 1,
    tools: { weather },
    toolChoice: { type: "tool", toolName: "weather" },
    ...once,
  });
  const types: string[] = [];
  let input = "";
  for await (const part of streamed.stream) {
    types.push(part.type);
    if (part.type === "tool-input-delta") input += part.delta;
  }
  expect(types).toEqual([
    "start",
    "start-step",
    "tool-input-start",
    "tool-input-delta",
    "tool-input-end",
    "tool-call",
    "tool-result",
    "finish-step",
    "finish",
  ]);
  const [call] = await streamed.toolCalls;
  expect(JSON.parse(input)).toEqual(call!.input);
  expect(await streamed.finishReason).toBe("tool-calls");
});

test("every kind of result is text to the model", async () => {
  const call = (toolCallId: string) => ({ type: "tool-call", toolCallId, toolName: "weather", input: {} }) as const;
  const outputs = [
    { type: "json", value: { sky: "grey" } },
    { type: "error-text", value: "no such place" },
    { type: "error-json", value: [1] },
    { type: "execution-denied", reason: "not now" },
    { type: "execution-denied" },
    {
      type: "content",
      value: [
        { type: "text", text: "a" },
        { type: "file", mediaType: "text/plain", data: { type: "text", text: "b" } },
      ],
    },
  ] as const;
  const prompt = [
    { role: "user", content: [{ type: "text", text: "fox?" }] },
    { role: "assistant", content: outputs.map((_, i) => call(`${i}`)) },
    {
      role: "tool",
      content: outputs.map((output, i) => {
        return { type: "tool-result", toolCallId: `${i}`, toolName: "weather", output };
      }),
    },
  ] as unknown as LanguageModelV4Prompt;
  const answer = vi.spyOn(model, "answer");
  const { usage } = await gemma().doGenerate({ prompt, maxOutputTokens: 3 });
  expect(usage.outputTokens.total).toBeGreaterThan(0);
  expect(answer.mock.lastCall![0].slice(2).map(({ content, toolCallId }) => [content, toolCallId])).toEqual([
    ['{"sky":"grey"}', "0"],
    ["no such place", "1"],
    ["[1]", "2"],
    ["not now", "3"],
    ["The user has not allowed this call.", "4"],
    ["a\nb", "5"],
  ]);
  answer.mockRestore();
});

test("a tool that cannot be enforced says so", async () => {
  const dated = tool({ inputSchema: z.object({ at: z.iso.date() }), execute: async ({ at }) => at });
  const call = generateText({ model: gemma(), prompt: "fox?", tools: { dated }, toolChoice: "required" });
  await expect(call).rejects.toMatchObject({ code: "ERR_SCHEMA", message: expect.stringContaining("tools[0]") });
});
