import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { compareTuning } from "../eval/tuning/compare-tuning.js";
import { heldOutMeasure } from "../eval/tuning/held-out-measure.js";
import type { Example } from "../tune/data/example.js";
import { Gemma } from "./gemma.js";
import { GemmaSubject, heldOutItems } from "./tuning-subject.js";

const gemma = await Gemma.load(TINY.gemma3, {
  ...{ backend: "reference", activations: "f32", inProcess: true, contextLength: 256 },
  adapters: { tuned: TINY.adapter },
});
afterAll(() => gemma.dispose());

const subject = (template: "gemma" | "qa" | "none", adapter?: string) =>
  new GemmaSubject(gemma, { template, identity: "tiny", ...(adapter === undefined ? {} : { adapter }) });

const chat: Example = {
  ...{ kind: "chat", at: "/some/where/held-out.jsonl:3" },
  turns: [
    { role: "user", content: "ab" },
    { role: "assistant", content: "cd", isLearned: false },
    { role: "user", content: "ef" },
    { role: "assistant", content: "gh ij" },
  ],
};
const pair: Example = { kind: "preference", at: "x:1", prompt: "ab", chosen: "cd", rejected: "ef gh" };

test("a loss is that of the learned tokens alone, as score has them", async () => {
  const [item] = heldOutItems([chat], "gemma");
  expect(item).toMatchObject({ id: "held-out.jsonl:3", reference: "gh ij", messages: [{}, {}, { content: "ef" }] });
  const [loss] = await subject("gemma").loss(item!.example, {});
  const turn = (role: string, content: string) => `<start_of_turn>${role}\n${content}<end_of_turn>\n`;
  const { bosTokenId } = gemma.info.config;
  const before = `${turn("user", "ab")}${turn("model", "cd")}${turn("user", "ef")}<start_of_turn>model\n`;
  const context = [bosTokenId, ...(await gemma.encode(before, { specials: true }))];
  const learned = await gemma.encode("gh ij<end_of_turn>", { specials: true });
  const { logprobs } = await gemma.score({ ids: [...context, ...learned] });
  const nats = logprobs.slice(context.length).reduce((sum, one) => sum - one!.logprob, 0);
  expect(loss!.tokens).toBe(learned.length);
  expect(loss!.nats).toBeCloseTo(nats, 6);
});

test("a text is learned from its first token, an answer behind a plain prompt with its end", async () => {
  const [text, completion] = heldOutItems(
    [
      { kind: "text", at: "x:1", text: "ab cd" },
      { kind: "completion", at: "x:2", prompt: "ab", completion: " cd" },
    ],
    "none",
  );
  const tokens = async (content: string) => (await gemma.encode(content)).length + 1; // and <eos>
  expect(text).toMatchObject({ messages: [], reference: null });
  expect(completion).toMatchObject({ messages: [{ role: "user", content: "ab" }], reference: " cd" });
  expect((await subject("none").loss(text!.example, {}))[0]!.tokens).toBe(await tokens("ab cd"));
  expect((await subject("none").loss(completion!.example, {}))[0]!.tokens).toBe(await tokens(" cd"));
});

test("what does not fit the context is cut, and has no loss where nothing is left to learn", async () => {
  const long = "ab ".repeat(600);
  const items = heldOutItems(
    [
      { kind: "completion", at: "x:1", prompt: "ab", completion: long },
      { kind: "completion", at: "x:2", prompt: long, completion: "ab" },
    ],
    "gemma",
  );
  const [cut] = await subject("gemma").loss(items[0]!.example, {});
  expect(cut!.tokens).toBeGreaterThan(200);
  expect(cut!.tokens).toBeLessThan(256);
  expect(await subject("gemma").loss(items[1]!.example, {})).toEqual([{ nats: 0, tokens: 0 }]);
});

test("one load is both sides: the adapter changes losses and answers, its absence does not", async () => {
  const [before, after] = [subject("qa"), subject("qa", "tuned")];
  const items = heldOutItems([chat], "qa");
  const report = await compareTuning({ before, after }, [heldOutMeasure(items)], {
    before: { name: "tiny", sha256: null, adapter: null },
    after: { name: "tiny", sha256: null, adapter: { name: "adapter", sha256: "00" } },
    made: { version: "0", commit: null, settings: {}, data: [], machine: null, command: null },
  });
  const [plain] = await before.loss(items[0]!.example, {});
  const [tuned] = await after.loss(items[0]!.example, {});
  expect(Math.abs(plain!.nats - tuned!.nats)).toBeGreaterThan(1e-3);
  expect(report.lines[0]!.difference * plain!.tokens).toBeCloseTo(tuned!.nats - plain!.nats, 12);
  expect(await before.loss(items[0]!.example, {})).toEqual([plain]);
  const said = await before.answer([{ role: "user", content: "ab" }], { maxTokens: 4 });
  expect(said).toEqual(await before.answer([{ role: "user", content: "ab" }], { maxTokens: 4 }));
  expect(typeof said.isEnded).toBe("boolean");
});

test("a preference has two losses", async () => {
  const [item] = heldOutItems([pair], "gemma");
  expect(item).toMatchObject({ reference: "cd", messages: [{ role: "user", content: "ab" }] });
  const losses = await subject("gemma").loss(item!.example, {});
  expect(losses).toHaveLength(2);
  expect(losses[1]!.tokens).toBeGreaterThan(losses[0]!.tokens);
});

test("an abort is heard", async () => {
  const [item] = heldOutItems([chat], "gemma");
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(subject("gemma").loss(item!.example, { signal })).rejects.toThrow("enough");
  await expect(subject("gemma").answer([{ role: "user", content: "ab" }], { maxTokens: 4, signal })).rejects.toThrow();
});

test("how an adapter's folder says that answers are drawn changes no answer of a report", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gemma-mannered-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(TINY.adapter, folder, { recursive: true });
  writeFileSync(join(folder, "generation_config.json"), '{"temperature": 5, "repetition_penalty": 100}');
  await gemma.addAdapter("mannered", folder);
  const messages = [{ role: "user", content: "ab ab ab" }] as const;
  const answer = (adapter: string) => subject("gemma", adapter).answer(messages, { maxTokens: 12 });
  expect(await answer("mannered")).toEqual(await answer("tuned"));
  const greedy = { adapter: "mannered", temperature: 0, maxTokens: 12, style: "gemma" } as const;
  expect((await gemma.answer(messages, greedy).result).text).not.toBe((await answer("tuned")).text);
});
