import { afterAll, describe, expect, test } from "vitest";
import { canRun, OpenModels } from "./native-model.js";

const tools = [
  {
    name: "get_weather",
    description: "Current weather of a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
  { name: "get_time", description: "Current time in a time zone", parameters: { properties: { zone: {} } } },
];
const messages = [{ role: "user", content: "What is the weather in Paris?" }] as const;
const models = new OpenModels();
afterAll(() => models.dispose());

describe.skipIf(!canRun)("Gemma 3 270M, tools", () => {
  test("a pre-trained model that must call asks for the right thing", { timeout: 120_000 }, async () => {
    const gemma = await models.open(2);
    const options = { tools, parallelToolCalls: false, temperature: 0, seed: 1, maxTokens: 64 };
    for (const toolChoice of ["required", { name: "get_weather" }] as const) {
      const { text, finishReason, toolCalls } = await gemma.answer(messages, { ...options, toolChoice }).result;
      expect({ text, finishReason }).toEqual({ text: "", finishReason: "tool-calls" });
      expect(toolCalls).toMatchObject([{ name: "get_weather", arguments: { city: "Paris" } }]);
    }
  });
});
