import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { TINY } from "../../../test/helpers/tiny-models.js";
import { Gemma } from "../../runtime/gemma.js";
import { createLanguageModel } from "./index.js";

// The draft's promises, on a random model that writes nonsense.

let gemma: Gemma;
let LanguageModel: ReturnType<typeof createLanguageModel>;
beforeAll(async () => {
  gemma = await Gemma.load(TINY.gemma3, {
    backend: "reference",
    activations: "f32",
    inProcess: true,
    contextLength: 256,
  });
  LanguageModel = createLanguageModel(gemma, { maxTokens: 6, seed: 1 });
});
afterAll(() => gemma.dispose());

const SYSTEM = { role: "system", content: "Be brief." } as const;
const SHOTS = [SYSTEM, { role: "user", content: "a?" }, { role: "assistant", content: "b" }] as const;
const greedy = { temperature: 0 };

/** What gemma.answer was last given. */
async function messagesOf(work: () => Promise<unknown>) {
  const answer = vi.spyOn(gemma, "answer");
  await work();
  const messages = answer.mock.lastCall![0];
  answer.mockRestore();
  return messages;
}

async function collect(stream: ReadableStream<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const piece of stream) all.push(piece);
  return all;
}

describe("prompting", () => {
  test("prompts and responses join the conversation, behind the initial prompts", async () => {
    const session = await LanguageModel.create({ initialPrompts: SHOTS, ...greedy });
    const first = await session.prompt("fox?");
    const messages = await messagesOf(() =>
      session.prompt([{ role: "user", content: [{ type: "text", value: "dog?" }] }]),
    );
    expect(messages).toEqual([
      ...SHOTS,
      { role: "user", content: "fox?" },
      { role: "assistant", content: first },
      { role: "user", content: "dog?" },
    ]);
    const same = await gemma
      .answer([...SHOTS, { role: "user", content: "fox?" }], { temperature: 0, maxTokens: 6 })
      .text();
    expect(first).toBe(same);
  });

  test("promptStreaming gives the pieces of what prompt gives", async () => {
    const text = await (await LanguageModel.create(greedy)).prompt("fox?");
    const pieces = await collect((await LanguageModel.create(greedy)).promptStreaming("fox?"));
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join("")).toBe(text);
  });

  test("prompts wait for each other", async () => {
    const session = await LanguageModel.create(greedy);
    const [first, second] = await Promise.all([session.prompt("a?"), session.prompt("b?")]);
    const messages = await messagesOf(() => session.prompt("c?"));
    expect(messages.map(({ content }) => content)).toEqual(["a?", first, "b?", second, "c?"]);
  });

  test("append adds without a response; a system message may come with the first messages", async () => {
    const session = await LanguageModel.create(greedy);
    await session.append([SYSTEM, { role: "user", content: "a" }]);
    const messages = await messagesOf(() => session.prompt("b"));
    expect(messages).toEqual([SYSTEM, { role: "user", content: "a" }, { role: "user", content: "b" }]);
    await expect(session.append([SYSTEM])).rejects.toThrow(TypeError);
  });

  test("a clone goes on independently", async () => {
    const session = await LanguageModel.create({ initialPrompts: [SYSTEM], ...greedy });
    await session.append("a");
    const clone = await session.clone();
    const usage = session.contextUsage;
    const [here, there] = await Promise.all([session.prompt("b"), clone.prompt("b")]);
    expect(here).toBe(there);
    await clone.append("c");
    expect(clone.contextUsage).toBeGreaterThan(session.contextUsage);
    expect(session.contextUsage).toBeGreaterThan(usage);
  });

  test("constraints: a JSON schema, a regular expression", async () => {
    const session = await createLanguageModel(gemma, { seed: 1 }).create();
    const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
    const json = await session.prompt("Once", { responseConstraint: schema });
    expect(JSON.parse(json)).toEqual({ ok: expect.any(Boolean) });
    const date = /^[0-9]{4}-[0-9]{2}$/u;
    expect(await session.prompt("When?", { responseConstraint: date })).toMatch(date);
    const pieces = await collect(
      session.promptStreaming("When?", { responseConstraint: date, omitResponseConstraintInput: true }),
    );
    expect(pieces).toEqual([expect.stringMatching(date)]);
    for (const [responseConstraint, error] of [
      [/a/i, { name: "NotSupportedError" }],
      [
        { type: "string", format: "date" },
        { name: "NotSupportedError", message: expect.stringContaining("#/format") },
      ],
      [[], { name: "TypeError" }],
    ] as const) {
      await expect(session.prompt("x", { responseConstraint })).rejects.toMatchObject(error);
    }
    await expect(session.prompt("x", { omitResponseConstraintInput: true })).rejects.toThrow(TypeError);
    const short = await createLanguageModel(gemma, { seed: 1, maxTokens: 3 }).create();
    await expect(short.prompt("x", { responseConstraint: schema })).rejects.toMatchObject({ name: "SyntaxError" });
  });

  test.each([
    ["a system message in the middle", [{ role: "user", content: "a" }, SYSTEM], "TypeError"],
    ["a prefix", [{ role: "assistant", content: "a", prefix: true }], "NotSupportedError"],
    ["a prefix of the user's", [{ role: "user", content: "a", prefix: true }], "SyntaxError"],
    ["an image", [{ role: "user", content: [{ type: "image", value: new Uint8Array() }] }], "NotSupportedError"],
    ["text that is none", [{ role: "user", content: [{ type: "text", value: 5 }] }], "TypeError"],
    [
      "nothing to answer",
      [
        { role: "user", content: "a" },
        { role: "assistant", content: "b" },
      ],
      "NotSupportedError",
    ],
  ] as const)("%s rejects, and leaves no message behind", async (_, input, name) => {
    const session = await LanguageModel.create();
    await expect(session.prompt(input)).rejects.toMatchObject({ name });
    await expect(collect(session.promptStreaming(input))).rejects.toMatchObject({ name });
    expect(session.contextUsage).toBe(0);
  });
});

describe("the context window", () => {
  test("usage is what was measured before", async () => {
    const session = await LanguageModel.create({ initialPrompts: [SYSTEM], ...greedy });
    const before = session.contextUsage;
    expect(before).toBeGreaterThan(0);
    expect(session.contextWindow).toBeGreaterThan(200);
    const measured = await session.measureContextUsage("the quick brown fox");
    expect(session.contextUsage).toBe(before);
    await session.append("the quick brown fox");
    expect(session.contextUsage).toBe(before + measured);
    expect([session.inputUsage, session.inputQuota]).toEqual([session.contextUsage, session.contextWindow]);
    expect(await session.measureInputUsage("the quick")).toBe(await session.measureContextUsage("the quick"));
    expect(await session.measureContextUsage("fox ".repeat(1000))).toBeGreaterThan(session.contextWindow);
  });

  test("the oldest turns go, with an event; initial prompts stay", async () => {
    const session = await LanguageModel.create({ initialPrompts: SHOTS, ...greedy });
    const events: string[] = [];
    session.oncontextoverflow = ({ type }) => events.push(type);
    session.onquotaoverflow = ({ type }) => events.push(type);
    const long = "the quick brown fox jumps over the lazy dog";
    for (let i = 0; events.length === 0 && i < 20; i++) await session.prompt(`${i} ${long}`);
    expect(events).toEqual(["contextoverflow", "quotaoverflow"]);
    const messages = await messagesOf(() => session.prompt("and?"));
    expect(messages.slice(0, 3)).toEqual(SHOTS);
    expect(messages.some(({ content }) => content.startsWith("0 "))).toBe(false);
    expect(session.contextUsage).toBeLessThanOrEqual(session.contextWindow);
  });

  test("what never fits is a QuotaExceededError, and leaves the conversation as it was", async () => {
    const session = await LanguageModel.create({ initialPrompts: [SYSTEM], ...greedy });
    await session.append("a");
    const usage = session.contextUsage;
    const huge = "fox ".repeat(400);
    for (const call of [session.prompt(huge), session.append(huge), collect(session.promptStreaming(huge))]) {
      await expect(call).rejects.toMatchObject({ name: "QuotaExceededError", quota: session.contextWindow });
    }
    const error = await session.prompt(huge).catch((e) => e);
    expect(error).toBeInstanceOf(DOMException);
    expect(error.requested).toBeGreaterThan(error.quota);
    expect(session.contextUsage).toBe(usage);
    const tooLong = LanguageModel.create({ initialPrompts: [{ role: "system", content: huge }] });
    await expect(tooLong).rejects.toMatchObject({ name: "QuotaExceededError" });
  });
});

describe("ends", () => {
  const endless = () => createLanguageModel(gemma, { ignoreEos: true }).create(greedy);

  test("an abort ends a prompt, also one that waits, and leaves nothing behind", async () => {
    const session = await endless();
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = session.prompt("fox?", { signal: running.signal });
    const second = session.prompt("dog?", { signal: waiting.signal });
    waiting.abort("not you");
    await expect(second).rejects.toBe("not you");
    setTimeout(() => running.abort(), 20);
    await expect(first).rejects.toMatchObject({ name: "AbortError" });
    expect(session.contextUsage).toBe(0);
    await session.append("a"); // it goes on
    expect(session.contextUsage).toBeGreaterThan(0);
  });

  test("a stream that is cancelled cancels its generation", async () => {
    const answer = vi.spyOn(gemma, "answer");
    const session = await endless();
    for await (const _ of session.promptStreaming("fox?")) break;
    await expect(answer.mock.results[0]!.value.result).rejects.toMatchObject({ name: "AbortError" });
    expect(session.contextUsage).toBe(0);
    answer.mockRestore();
  });

  test("destroy, or the signal of the creation, ends a session", async () => {
    const session = await endless();
    const prompt = session.prompt("fox?");
    const pieces = collect(session.promptStreaming("dog?"));
    const clone = await session.clone();
    session.destroy();
    for (const call of [prompt, pieces, session.prompt("a"), session.append("a"), session.clone()]) {
      await expect(call).rejects.toMatchObject({ name: "AbortError" });
    }
    await clone.append("a"); // a session of its own
    const controller = new AbortController();
    const other = await LanguageModel.create({ signal: controller.signal });
    controller.abort("closing");
    await expect(other.prompt("a")).rejects.toBe("closing");
  });

  test("other failures are UnknownError, with the cause", async () => {
    const broken = await createLanguageModel(gemma, { adapter: "nobody" }).create();
    const error = await broken.prompt("a").catch((e) => e);
    expect([error.name, error.cause.code]).toEqual(["UnknownError", expect.stringMatching(/^ERR_/)]);
  });
});
