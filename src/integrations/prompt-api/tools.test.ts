import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { TINY } from "../../../test/helpers/tiny-models.js";
import { Gemma } from "../../runtime/gemma.js";
import { createLanguageModel } from "./index.js";

let gemma: Gemma;
let LanguageModel: ReturnType<typeof createLanguageModel>;
beforeAll(async () => {
  const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 1024 } as const;
  gemma = await Gemma.load(TINY.gemma1, options);
  LanguageModel = createLanguageModel(gemma, { maxTokens: 60, seed: 1 });
});
afterAll(() => gemma.dispose());

// A random model calls nothing that it need not.
const forced = (rounds: number) => {
  const answer = gemma.answer.bind(gemma);
  const spy = vi.spyOn(gemma, "answer");
  for (let i = 0; i < rounds; i++) {
    spy.mockImplementationOnce((messages, options) =>
      answer(messages, { ...options, toolChoice: "required", parallelToolCalls: false }),
    );
  }
  return spy;
};
const inputSchema = { type: "object", properties: { x: { enum: [1, 2] } }, required: ["x"] };
const describe = { name: "f", description: "Doubles.", inputSchema };
const double = async ({ x }: { x: number }) => `${2 * x}`;

test("are run, and their results answered", async () => {
  const execute = vi.fn(double);
  const session = await LanguageModel.create({ tools: [{ ...describe, execute }] });
  expect(session.contextUsage).toBeGreaterThan(50); // the tools are told about
  const answer = forced(1);
  const text = await session.prompt("fox?");
  expect(execute).toHaveBeenCalledOnce();
  const [question, call, result] = answer.mock.lastCall![0];
  expect(question).toEqual({ role: "user", content: "fox?" });
  expect(call!.toolCalls).toMatchObject([{ name: "f", arguments: execute.mock.calls[0]![0] }]);
  expect(result).toEqual({
    role: "tool",
    content: await double(execute.mock.calls[0]![0]),
    toolCallId: call!.toolCalls![0]!.id,
  });
  await session.prompt("and?");
  const messages = answer.mock.lastCall![0];
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant", "user"]);
  expect(messages[3]!.content).toBe(text);
  answer.mockRestore();
});

test("what a tool throws rejects the prompt, which leaves nothing behind; an abort does not wait for a tool", async () => {
  const broken = await LanguageModel.create({
    tools: [{ ...describe, execute: async () => Promise.reject(new Error("no disk")) }],
  });
  const usage = broken.contextUsage;
  let answer = forced(1);
  await expect(broken.prompt("fox?")).rejects.toThrow("no disk");
  expect(broken.contextUsage).toBe(usage);
  answer.mockRestore();
  const controller = new AbortController();
  const execute = () => {
    controller.abort("enough");
    return new Promise<string>(() => {});
  };
  const slow = await LanguageModel.create({ tools: [{ ...describe, execute }] });
  answer = forced(1);
  await expect(slow.prompt("fox?", { signal: controller.signal })).rejects.toBe("enough");
  await slow.append("a"); // the session goes on
  answer.mockRestore();
});
