import { describe, expect, test } from "vitest";
import fc from "../../../test/fast-check.js";
import { dataPath } from "../../../test/golden.js";
import { tinyVocabularies } from "../../../test/tiny-spm.js";
import { inOneGo } from "../../base/slices.js";
import { CHAT_FORMS, type PlainMessage } from "../../engine/chat.js";
import { gemmaTurns } from "../../tokenizer/gemma-turns.js";
import { encodePrompt } from "../../tokenizer/prompt.js";
import { Tokenizer } from "../../tokenizer/tokenizer.js";
import { encodeExamples, encodePieces, type Sequence } from "./encode-examples.js";
import type { Example, Turn } from "./example.js";
import { fileSource } from "./file-source.js";
import { exampleSequences, type TuneTemplate } from "./pieces.js";
import { readExamples } from "./read-examples.js";

const tokenizer = Tokenizer.fromVocabulary(tinyVocabularies["tokenizer.model"]());
const EOS = tokenizer.controlId("<eos>");

const user = (content: string): Turn => ({ role: "user", content });
const model = (content: string): Turn => ({ role: "assistant", content });
const chat = (...turns: Turn[]): Example => ({ kind: "chat", at: "x:1", turns });

function sequencesOf(example: Example, template: TuneTemplate): readonly Sequence[] {
  return exampleSequences(example, template).map((pieces) => inOneGo(encodePieces(tokenizer, pieces)));
}

/** The texts of runs of targets, and of what is between them. */
function runs({ ids, isTarget }: Sequence): readonly (readonly [boolean, string])[] {
  const result: (readonly [boolean, string])[] = [];
  for (let start = 0, end = 0; start < ids.length; start = end) {
    while (end < ids.length && isTarget[end] === isTarget[start]) end++;
    result.push([isTarget[start] === 1, tokenizer.decode(ids.subarray(start, end))]);
  }
  return result;
}

describe("what is learned", () => {
  test("answers and the ends of their turns, over several turns", () => {
    const turns = [
      { role: "system", content: "be brief" } as const,
      user(" Hi "),
      model("Hello!"),
      user("Bye"),
      model(" Tschüß\n"),
    ];
    expect(runs(sequencesOf(chat(...turns), "gemma")[0]!)).toEqual([
      [false, "<bos><start_of_turn>user\nbe brief\n\nHi<end_of_turn>\n<start_of_turn>model\n"],
      [true, "Hello!<end_of_turn>"],
      [false, "\n<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n"],
      [true, "Tschüß<end_of_turn>"],
    ]);
    expect(runs(sequencesOf(chat(...turns), "qa")[0]!)).toEqual([
      [false, "<bos>be brief\n\nQuestion: Hi\nAnswer:"],
      [true, " Hello!\n\n"],
      [false, "Question: Bye\nAnswer:"],
      [true, " Tschüß\n\n"],
    ]);
  });

  test("not a turn with isLearned: false, nor the answers in a prompt", () => {
    const [skipped] = sequencesOf(chat(user("a"), { ...model("b"), isLearned: false }, user("c"), model("d")), "gemma");
    expect(runs(skipped!).map(([isTarget, text]) => isTarget && text)).toEqual([false, "d<end_of_turn>"]);
    const prompt = [user("a"), model("b"), user("c")];
    const [completion] = sequencesOf({ kind: "completion", at: "", prompt, completion: "d" }, "gemma");
    expect(completion).toEqual(skipped);
  });

  test("prompt and completion: a turn each, or as they stand", () => {
    const example: Example = { kind: "completion", at: "", prompt: "one two", completion: " three" };
    expect(sequencesOf(example, "gemma")).toEqual(sequencesOf(chat(user("one two"), model("three")), "gemma"));
    const [raw] = sequencesOf(example, "none");
    expect(runs(raw!)).toEqual([
      [false, "<bos>one two"],
      [true, " three<eos>"],
    ]);
    expect(raw!.ids.at(-1)).toBe(EOS);
  });

  test("a text from its first token to the end of text, whatever the template", () => {
    for (const template of ["gemma", "qa", "none"] as const) {
      const [sequence] = sequencesOf({ kind: "text", at: "", text: "some text" }, template);
      expect(runs(sequence!)).toEqual([
        [false, "<bos>"],
        [true, "some text<eos>"],
      ]);
    }
  });

  test("both sides of a preference behind the same prompt", () => {
    const example: Example = { kind: "preference", at: "", prompt: "q", chosen: "yes", rejected: [model("no")] };
    const [chosen, rejected] = sequencesOf(example, "gemma");
    expect([chosen, rejected]).toEqual([
      sequencesOf(chat(user("q"), model("yes")), "gemma")[0],
      sequencesOf(chat(user("q"), model("no")), "gemma")[0],
    ]);
  });

  test("messages without a template are refused", () => {
    const refused = expect.objectContaining({ code: "ERR_USAGE" });
    expect(() => exampleSequences(chat(user("a"), model("b")), "none")).toThrow(refused);
    const example: Example = { kind: "completion", at: "", prompt: [user("a")], completion: "b" };
    expect(() => exampleSequences(example, "none")).toThrow(refused);
  });
});

describe("properties", () => {
  const names = ["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "\n", "\n\n", "model\n", " ", "the", "ü"];
  const content = fc
    .array(fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 5, unit: "grapheme" })), { maxLength: 6 })
    .map((parts) => `.${parts.join("")}.`);
  const dialogue = fc.array(fc.tuple(content, content), { minLength: 1, maxLength: 4 });
  const turnsOf = (pairs: readonly (readonly [string, string])[]) => pairs.flatMap(([q, a]) => [user(q), model(a)]);

  test("targets decode to the assistant's texts and their ends; no text is a control token", () => {
    fc.assert(
      fc.property(dialogue, (pairs) => {
        for (const [template, start, end, perTurn] of [
          ["gemma", "", "<end_of_turn>", 2],
          ["qa", " ", "\n\n", 0],
        ] as const) {
          const [sequence] = sequencesOf(chat(...turnsOf(pairs)), template);
          const learned = runs(sequence!).filter(([isTarget]) => isTarget);
          expect(learned.map(([, text]) => text)).toEqual(pairs.map(([, answer]) => start + answer + end));
          const controls = Array.from(sequence!.ids).filter((id) => tokenizer.isControl(id));
          expect(controls).toHaveLength(1 + 2 * perTurn * pairs.length);
          expect(sequence!.targets).toBe(sequence!.isTarget.reduce((sum, one) => sum + one, 0));
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test("before an answer stand the very tokens that ask for it", () => {
    const plain = (turns: readonly Turn[]) => turns as readonly PlainMessage[];
    fc.assert(
      fc.property(dialogue, (pairs) => {
        const turns = turnsOf(pairs);
        const asked = turns.slice(0, -1);
        for (const [template, segments] of [
          ["gemma", gemmaTurns(asked, { addGenerationPrompt: true })],
          ["qa", CHAT_FORMS.qa.segments(plain(asked)) as ReturnType<typeof gemmaTurns>],
        ] as const) {
          const prompt = encodePrompt(tokenizer, segments);
          const example: Example = { kind: "completion", at: "", prompt: asked, completion: turns.at(-1)!.content };
          const [{ ids, isTarget }] = sequencesOf(example, template) as [Sequence];
          expect(ids.subarray(0, prompt.length)).toEqual(prompt);
          expect(isTarget.indexOf(1)).toBe(prompt.length);
        }
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  test("raw prompts, too, and what is joined decodes to prompt and completion", () => {
    fc.assert(
      fc.property(content, content, (prompt, completion) => {
        const [sequence] = sequencesOf({ kind: "completion", at: "", prompt, completion }, "none") as [Sequence];
        const asked = encodePrompt(tokenizer, [{ kind: "text", text: prompt }]);
        expect(sequence.ids.subarray(0, asked.length)).toEqual(asked);
        expect(runs(sequence)).toEqual([
          [false, `<bos>${prompt}`],
          [true, `${completion}<eos>`],
        ]);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test("a cut keeps the front, and ends with a target", async () => {
    await fc.assert(
      fc.asyncProperty(dialogue, fc.integer({ min: 3, max: 60 }), async (pairs, maxLength) => {
        const example = chat(...turnsOf(pairs));
        const [whole] = sequencesOf(example, "gemma") as [Sequence];
        const result = await encodeExamples([example, { kind: "text", at: "", text: "a" }], tokenizer, {
          ...{ template: "gemma", maxLength },
        });
        const { examples, lengths } = result;
        const kept = examples.find(({ at }) => at === example.at)?.sequences[0];
        const first = whole.isTarget.indexOf(1);
        if (first >= maxLength) {
          expect([kept, lengths.dropped, lengths.truncated]).toEqual([undefined, 1, 0]);
          return;
        }
        expect(kept!.ids.length).toBeLessThanOrEqual(maxLength);
        expect(kept!.ids).toEqual(whole.ids.subarray(0, kept!.ids.length));
        expect(kept!.isTarget.at(-1)).toBe(1);
        expect([lengths.dropped, lengths.truncated]).toEqual([0, whole.ids.length > maxLength ? 1 : 0]);
      }),
      { seed: 4, numRuns: 100 },
    );
  });
});

test("a long text in parts: each token is learned once, behind BOS, in sequences of about one length", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 1, maxLength: 80, unit: "grapheme" }),
      fc.integer({ min: 2, max: 30 }),
      async (text, maxLength) => {
        const example: Example = { kind: "text", at: "x:1", text };
        const [whole] = sequencesOf(example, "none") as [Sequence];
        const { examples, lengths } = await encodeExamples([example], tokenizer, {
          ...{ template: "none", maxLength, longTexts: "split" },
        });
        const parts = examples.map(({ sequences: [sequence] }) => sequence!);
        expect(parts.flatMap(({ ids }) => Array.from(ids.subarray(1)))).toEqual(Array.from(whole.ids.subarray(1)));
        for (const { ids, isTarget, targets } of parts) {
          expect([ids[0], isTarget[0], targets]).toEqual([tokenizer.bosId, 0, ids.length - 1]);
          expect(ids.length).toBeLessThanOrEqual(maxLength);
        }
        const sizes = parts.map(({ ids }) => ids.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(lengths).toMatchObject({
          examples: parts.length,
          truncated: 0,
          dropped: 0,
          targets: whole.ids.length - 1,
        });
      },
    ),
    { seed: 5, numRuns: 200 },
  );
});

test("a preference goes when one of its sides has nothing left; what is left is counted", async () => {
  const pair = (at: string, chosen: string): Example => ({
    kind: "preference",
    at,
    prompt: "q",
    chosen,
    rejected: "no",
  });
  const long = { ...pair("x:2", "yes"), prompt: "q ".repeat(50) };
  const { examples, lengths } = await encodeExamples([pair("x:1", "yes"), long], tokenizer, {
    ...{ template: "none", maxLength: 30 },
  });
  expect(examples.map(({ at, sequences }) => [at, sequences.length])).toEqual([["x:1", 2]]);
  const tokens = examples[0]!.sequences.reduce((sum, { ids }) => sum + ids.length, 0);
  expect(lengths).toMatchObject({ examples: 2, sequences: 4, dropped: 1, droppedAt: ["x:2"], tokens });
});

test("a length that leaves nothing, or is none", async () => {
  const options = { template: "gemma", maxLength: 4 } as const;
  const examples = [chat(user("a"), model("b"))];
  await expect(encodeExamples(examples, tokenizer, options)).rejects.toThrow(/1 of 1 examples dropped/);
  await expect(encodeExamples(examples, tokenizer, { ...options, maxLength: 1 })).rejects.toMatchObject({
    code: "ERR_RANGE",
  });
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(encodeExamples(examples, tokenizer, { ...options, signal })).rejects.toThrow("enough");
});

const published = dataPath("tuning/llms_from_scratch_instructions.jsonl");
test.skipIf(published === undefined)("published conversations: targets are the assistant's turns", async () => {
  const { examples } = await readExamples([await fileSource(published!)]);
  for (const example of examples.slice(0, 200)) {
    if (example.kind !== "chat") throw new Error(example.kind);
    const learned = runs(sequencesOf(example, "gemma")[0]!).filter(([isTarget]) => isTarget);
    expect(learned.map(([, text]) => text)).toEqual([`${example.turns.at(-1)!.content.trim()}<end_of_turn>`]);
  }
});
