import { describe, expect, test } from "vitest";
import { chatMessages } from "./chat.js";
import { generateOptions } from "./fields.js";

describe("options", () => {
  const options = (given: object, mostTokens?: number) => generateOptions({ model: "m", ...given }, mostTokens);

  test("have the engine's names; what is not given is left to the model", () => {
    expect(options({})).toEqual({});
    expect(
      options({
        options: {
          ...{ temperature: 0.5, top_k: 10, top_p: 0.9, min_p: 0.1, seed: 7, num_predict: 5, stop: ["x"] },
          ...{ repeat_penalty: 1.1, presence_penalty: 0.5, frequency_penalty: -0.5 },
        },
        format: "json",
        logprobs: true,
        top_logprobs: 3,
      }),
    ).toEqual({
      ...{ temperature: 0.5, topK: 10, topP: 0.9, minP: 0.1, seed: 7, maxTokens: 5, stop: ["x"] },
      ...{ repetitionPenalty: 1.1, presencePenalty: 0.5, frequencyPenalty: -0.5 },
      ...{ jsonSchema: { type: "object" }, logprobs: 3 },
    });
  });

  test("numbers that stand for none, and the server's own limit", () => {
    expect(options({ options: { seed: -1, num_predict: -1, top_k: -1 }, format: "" })).toEqual({ topK: 0 });
    expect(options({ options: { num_predict: 0, temperature: null } }, 9)).toEqual({ maxTokens: 9 });
    expect(options({ options: { num_predict: 20 } }, 9)).toEqual({ maxTokens: 9 });
    expect(options({ format: { type: "string" }, top_logprobs: 2 })).toEqual({ jsonSchema: { type: "string" } });
  });
});

describe("messages", () => {
  const call = (name: string, id?: string) => ({ ...(id ? { id } : {}), function: { name, arguments: {} } });
  const answered = (messages: Parameters<typeof chatMessages>[0]) =>
    chatMessages(messages)
      .filter(({ role }) => role === "tool")
      .map(({ toolCallId }) => toolCallId);

  test("results find the calls that they answer: by id, by tool, else in order", () => {
    const calls = { role: "assistant" as const, tool_calls: [call("f"), call("g"), call("f"), call("h", "own")] };
    const result = { role: "tool" as const, content: "1" };
    expect(answered([calls, result, result, result])).toEqual(["call_0_0", "call_0_1", "call_0_2"]);
    expect(
      answered([calls, { ...result, tool_name: "g" }, { ...result, tool_name: "f" }, { ...result, tool_name: "f" }]),
    ).toEqual(["call_0_1", "call_0_0", "call_0_2"]);
    expect(answered([calls, { ...result, tool_call_id: "own" }, { ...result, tool_name: "h" }])).toEqual([
      "own",
      "call_0_0",
    ]);
    expect(answered([result])).toEqual([undefined]);
  });
});
