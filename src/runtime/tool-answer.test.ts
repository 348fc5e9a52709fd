import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import type { ChatMessage, Tool } from "../engine/chat.js";
import { type AnswerOptions, Gemma } from "./gemma.js";
import { ToolAnswer } from "./tool-answer.js";

let gemma: Gemma;
beforeAll(async () => {
  const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 1024 } as const;
  gemma = await Gemma.load(TINY.gemma1, options);
});
afterAll(() => gemma.dispose());

const tools: readonly Tool[] = [
  { name: "f", parameters: { properties: { x: { enum: [1, 2] } }, required: ["x"] } },
  { name: "g" },
];
const ask: ChatMessage = { role: "user", content: "fox?" };
const answer = (options: AnswerOptions, messages: readonly ChatMessage[] = [ask]) =>
  gemma.answer(messages, { tools, ...options });

describe("a model that must call", () => {
  test("calls, and shows nothing of it", async () => {
    const generation = answer({ toolChoice: "required", parallelToolCalls: false, seed: 3 });
    const pieces: string[] = [];
    for await (const piece of generation) pieces.push(piece);
    const { text, ids, finishReason, toolCalls, timings } = await generation.result;
    expect({ text, pieces, finishReason }).toEqual({ text: "", pieces: [], finishReason: "tool-calls" });
    expect(ids.length).toBe(timings.generatedTokens);
    const [call, ...more] = toolCalls!;
    expect(more).toEqual([]);
    expect(call!.id).toMatch(/^call_[A-Za-z0-9]{24}$/);
    expect(await gemma.decode(ids)).toBe(
      call!.name === "g"
        ? '{"name": "g", "parameters": {}}'
        : `{"name": "f", "parameters": {"x": ${call!.arguments.x}}}`,
    );
  });

  test("the same for the same seed, ids as well; each in a batch has its own", async () => {
    const results = await Promise.all(
      [1, 1, 2].map((seed) => answer({ toolChoice: "required", parallelToolCalls: false, seed }).result),
    );
    expect(results[1]!.toolCalls).toEqual(results[0]!.toolCalls);
    const ids = results.slice(1).flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id));
    expect(ids.length).toBe(2);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("calls the one that is named", async () => {
    for (const seed of [1, 2, 3]) {
      const { toolCalls } = await answer({ toolChoice: { name: "f" }, seed }).result;
      expect(toolCalls).toMatchObject([{ name: "f", arguments: { x: expect.toSatisfy((x) => x === 1 || x === 2) } }]);
    }
  });

  test("a call that is cut is text", async () => {
    const { text, finishReason, toolCalls } = await answer({ toolChoice: { name: "f" }, maxTokens: 4 }).result;
    expect({ finishReason, toolCalls }).toEqual({ finishReason: "length", toolCalls: undefined });
    expect('{"name": "f", "parameters"'.startsWith(text) && text !== "").toBe(true);
  });

  test("the conversation goes on with the result", async () => {
    const style = "gemma";
    const { toolCalls = [] } = await answer({ toolChoice: "required", parallelToolCalls: false, seed: 1, style })
      .result;
    const messages: ChatMessage[] = [
      ask,
      { role: "assistant", content: "", toolCalls },
      { role: "tool", content: "12", toolCallId: toolCalls[0]!.id },
    ];
    const next = await answer({ toolChoice: "required", parallelToolCalls: false, seed: 1, style }, messages).result;
    expect(next.toolCalls?.[0]?.id).not.toBe(toolCalls[0]!.id);
    const free = await answer({ toolChoice: "none", maxTokens: 3, style }, messages).result;
    const turns = [
      "<start_of_turn>user\nfox?<end_of_turn>\n<start_of_turn>model\n",
      `${await gemma.decode((await answer({ toolChoice: "required", parallelToolCalls: false, seed: 1, style }).result).ids)}<end_of_turn>\n`,
      `<start_of_turn>user\n\`\`\`tool_output\n{"name": "${toolCalls[0]!.name}", "result": 12}\n\`\`\`<end_of_turn>\n<start_of_turn>model\n`,
    ];
    expect(free.timings.promptTokens).toBe(1 + (await gemma.encode(turns.join(""), { specials: true })).length);
    expect(free.finishReason).toBe("length");
  });
});

test("a model that may call and does not: its text streams, and nothing else is different", async () => {
  const generation = answer({ temperature: 0, maxTokens: 12, stop: [] });
  const pieces: string[] = [];
  for await (const piece of generation) pieces.push(piece);
  const { text, ids, finishReason, toolCalls } = await generation.result;
  expect(toolCalls).toBe(undefined);
  expect(finishReason).not.toBe("tool-calls");
  expect(pieces.join("")).toBe(text);
  expect(text).toBe(await gemma.decode(ids));
});

test("strict tools leave the model free to answer", async () => {
  const strict = tools.map((tool) => ({ ...tool, strict: true }));
  const { toolCalls, text } = await answer({ tools: strict, seed: 2, maxTokens: 12 }).result;
  expect(toolCalls ?? text).not.toBe("");
});

test("pre-trained models read results between questions", async () => {
  const toolCalls = [{ id: "1", name: "f", arguments: { x: 1 } }];
  const messages: ChatMessage[] = [
    ask,
    { role: "assistant", content: "", toolCalls },
    { role: "tool", content: "a fox", toolCallId: "1" },
  ];
  const options = { temperature: 0, maxTokens: 4 };
  const { ids, timings } = await gemma.answer(messages, options).result;
  const written = `Question: fox?\nAnswer: {"name": "f", "parameters": {"x": 1}}\n\n\`\`\`tool_output\n{"name": "f", "result": "a fox"}\n\`\`\`\nAnswer:`;
  const same = await gemma.generate(written, { ...options, stop: ["\nQuestion:", "\n\n"] }).result;
  expect([ids, timings.promptTokens]).toEqual([same.ids, same.timings.promptTokens]);
});

test("an answer is any JSON object, with tools at hand as well", async () => {
  const brace = (await gemma.encode("}"))[0]!;
  for (const seed of [1, 2, 3, 4]) {
    const options = { jsonSchema: { type: "object" }, seed, maxTokens: 120, logitBias: { [brace]: 8 } };
    const plain = await gemma.answer([ask], options).result;
    expect(plain.finishReason).toBe("stop");
    expect(JSON.parse(plain.text)).toBeTypeOf("object");
    expect(plain.text).toMatch(/^\{.*\}$/s);
    const beside = await answer(options).result;
    expect(beside.toolCalls ?? JSON.parse(beside.text)).toBeTypeOf("object");
  }
});

test("calls are found in a free answer, with ids of their own", () => {
  const read = (pieces: readonly string[], calling: object = {}, finishReason: "stop" | "length" = "stop") => {
    const all = { tools, choice: "auto", parallel: true, ...calling } as const;
    const reader = new ToolAnswer({ messages: [ask], style: "gemma", calling: all, options: { seed: 1 } });
    const text = pieces.map((piece) => reader.push(piece)).join("") + reader.end();
    const timings = { promptTokens: 1, generatedTokens: 1, firstTokenMs: 1, decodeMs: 1 };
    const outcome = { finishReason, timings: { ...timings, proposedTokens: 0, acceptedTokens: 0 }, droppedMessages: 0 };
    const { toolCalls, finishReason: reason } = reader.outcome(outcome);
    return { text, reason, calls: toolCalls?.map(({ name }) => name) };
  };
  const both = ["Well.\n```tool", "_code\nf(x=1)\n", "g()\n```"];
  expect(read(both)).toEqual({ text: "Well.", reason: "tool-calls", calls: ["f", "g"] });
  expect(read(both, { parallel: false })).toEqual({ text: "Well.", reason: "tool-calls", calls: ["f"] });
  expect(read(both, { choice: "none" })).toEqual({ text: both.join(""), reason: "stop", calls: undefined });
  expect(read(["g()\n", "f(x="], {}, "length")).toEqual({ text: "f(x=", reason: "length", calls: ["g"] });
});

test.each<[what: string, options: object, code: string, says: string]>([
  ["tools", { tools: 5 }, "ERR_USAGE", "tools: must be an array, got 5"],
  ["a tool", { tools: [null] }, "ERR_USAGE", "tools[0]: must be an object, got null"],
  [
    "a name",
    { tools: [{ name: "a b" }] },
    "ERR_USAGE",
    'tools[0].name: must be 1 to 128 letters, digits or _ . : / -, got "a b"',
  ],
  [
    "a name again",
    { tools: [{ name: "a" }, { name: "a" }] },
    "ERR_USAGE",
    'tools[1].name: must be a name that no other tool has, got "a"',
  ],
  [
    "a description",
    { tools: [{ name: "a", description: 1 }] },
    "ERR_USAGE",
    "tools[0].description: must be a string, got 1",
  ],
  [
    "parameters",
    { tools: [{ name: "a", parameters: [] }] },
    "ERR_USAGE",
    "tools[0].parameters: must be an object, got an array",
  ],
  ["strict", { tools: [{ name: "a", strict: 1 }] }, "ERR_USAGE", "tools[0].strict: must be true or false, got 1"],
  ["a choice", { toolChoice: "any" }, "ERR_USAGE", 'toolChoice: must be auto, none, required or { name }, got "any"'],
  [
    "a choice without tools",
    { tools: [], toolChoice: "required" },
    "ERR_USAGE",
    'toolChoice: must be auto or none where there are no tools, got "required"',
  ],
  [
    "an unknown tool",
    { toolChoice: { name: "h" } },
    "ERR_USAGE",
    'toolChoice: must be the name of one of the tools, got "h"',
  ],
  ["parallelToolCalls", { parallelToolCalls: 1 }, "ERR_USAGE", "parallelToolCalls: must be true or false, got 1"],
  [
    "many tools",
    { tools: Array.from({ length: 129 }, (_, i) => ({ name: `t${i}` })) },
    "ERR_RANGE",
    "tools: must be at most 128, got 129",
  ],
  [
    "a schema",
    { tools: [{ name: "a", strict: true, parameters: { properties: { x: { multipleOf: 2 } } } }] },
    "ERR_SCHEMA",
    "tools[0].parameters: #/properties/x/multipleOf is not supported",
  ],
])("%s that is wrong", async (_, options, code, message) => {
  await expect(answer(options).result).rejects.toMatchObject({ code, message });
});
