import { GemmaError } from "../../base/errors.js";
import { pauses } from "../../base/macrotask.js";
import { type Slices, withPauses } from "../../base/slices.js";
import { encodePromptSlices } from "../../tokenizer/prompt.js";
import type { Tokenizer } from "../../tokenizer/tokenizer.js";
import type { Example } from "./example.js";
import { type LengthReport, LengthTally } from "./lengths.js";
import { exampleSequences, learnedRuns, type Piece, type TuneTemplate } from "./pieces.js";

const PAUSE_EVERY = 256;

/** Token ids, and which of them are learned. */
export interface Sequence {
  readonly ids: Int32Array; // [T]
  /** 1: the token is a target, so the logits of the row before it have a loss. Never the first one. The last one is. */
  readonly isTarget: Uint8Array; // [T]
  /** How many are; 1 at least. */
  readonly targets: number;
}

export interface EncodedExample {
  /** Where it stands: `data.jsonl:12`. */
  readonly at: string;
  /** One; of a preference the chosen and the rejected one. */
  readonly sequences: readonly Sequence[];
}

export interface EncodeOptions {
  readonly template: TuneTemplate;
  /** Most tokens of a sequence, BOS among them. What is longer loses its end. >= 2 */
  readonly maxLength: number;
  /** "split": a text that is longer becomes several examples instead. Default: "cut". */
  readonly longTexts?: "cut" | "split";
  readonly signal?: AbortSignal;
}

export interface EncodedExamples {
  readonly examples: readonly EncodedExample[];
  readonly lengths: LengthReport;
}

/**
 * The token ids of examples. An answer's tokens are encoded apart from those before it, so a prompt has the ids that it
 * will have when the tuned model is asked; what a text says is never a control token. Tokens behind the last target
 * teach nothing and are left out. An example of which a sequence has no target left below `maxLength` is dropped.
 *
 * @throws ERR_RANGE for a maxLength below 2, or one that leaves no example; ERR_USAGE for messages without a template;
 *   ERR_MISSING_KEY for a vocabulary without the template's control tokens; the reason of an aborted signal
 */
export async function encodeExamples(
  examples: readonly Example[],
  tokenizer: Tokenizer,
  { template, maxLength, longTexts = "cut", signal }: EncodeOptions,
): Promise<EncodedExamples> {
  if (!Number.isSafeInteger(maxLength) || maxLength < 2) {
    throw new GemmaError("ERR_RANGE", `maxLength: must be an integer >= 2, got ${maxLength}`);
  }
  const pause = pauses(signal);
  const encoded: EncodedExample[] = [];
  const tally = new LengthTally(maxLength);
  for (const [i, example] of examples.entries()) {
    if (i % PAUSE_EVERY === 0) await pause();
    const whole: Sequence[] = [];
    for (const pieces of exampleSequences(example, template)) {
      whole.push(await withPauses(encodePieces(tokenizer, pieces), pause));
    }
    if (longTexts === "split" && example.kind === "text") {
      for (const part of split(whole[0]!, maxLength, tokenizer)) {
        encoded.push({ at: example.at, sequences: [part] });
        tally.add(example.at, [part.ids.length], [part]);
      }
      continue;
    }
    const sequences = whole.map((sequence) => cut(sequence, maxLength));
    const isKept = sequences.every(({ targets }) => targets > 0);
    if (isKept) encoded.push({ at: example.at, sequences });
    tally.add(
      example.at,
      whole.map(({ ids }) => ids.length),
      isKept ? sequences : [],
    );
  }
  const lengths = tally.report();
  if (encoded.length > 0) return { examples: encoded, lengths };
  throw new GemmaError(
    "ERR_RANGE",
    `maxLength: must leave something to learn, got ${maxLength} tokens, and ${lengths.dropped} of ${lengths.examples} examples dropped`,
    { hint: `the longest has ${lengths.longest?.tokens ?? 0} tokens` },
  );
}

/** The sequence of pieces behind BOS. Neighbouring texts that are both learned, or both not, are encoded as one. */
export function* encodePieces(tokenizer: Tokenizer, pieces: readonly Piece[]): Slices<Sequence> {
  const { addBos, bosId } = tokenizer.vocabulary;
  const parts: { ids: Int32Array; isLearned: boolean }[] = [];
  if (addBos && bosId !== undefined) parts.push({ ids: Int32Array.of(bosId), isLearned: false });
  for (const { isLearned, segments } of learnedRuns(pieces)) {
    parts.push({ ids: yield* encodePromptSlices(tokenizer, segments, { bos: false }), isLearned });
  }
  const length = parts.reduce((sum, { ids }) => sum + ids.length, 0);
  const ids = new Int32Array(length);
  const isTarget = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    ids.set(part.ids, at);
    if (part.isLearned) isTarget.fill(1, at, at + part.ids.length);
    at += part.ids.length;
  }
  isTarget[0] = 0; // no row comes before it
  return cut({ ids, isTarget, targets: 0 }, length);
}

/**
 * A text in sequences of at most `maxLength` tokens, each behind BOS where the vocabulary has one: every token of it is
 * learned once. The parts are as long as each other, so that no short rest remains.
 */
function split({ ids }: Sequence, maxLength: number, { vocabulary }: Tokenizer): readonly Sequence[] {
  const { addBos, bosId } = vocabulary;
  const head = addBos && bosId !== undefined ? [bosId] : [];
  const text = ids.subarray(head.length);
  const room = maxLength - 1; // without BOS the first token of a part is no target, but the last of the part before
  const count = Math.ceil(text.length / room);
  return Array.from({ length: count }, (_, i) => {
    const [start, end] = [i, i + 1].map((part) => Math.round((part * text.length) / count)) as [number, number];
    const before = head.length > 0 ? head : Array.from(text.subarray(Math.max(0, start - 1), start));
    const part = Int32Array.of(...before, ...text.subarray(start, end));
    const isTarget = new Uint8Array(part.length).fill(1);
    isTarget[0] = 0; // no row comes before it
    return { ids: part, isTarget, targets: part.length - 1 };
  }).filter(({ targets }) => targets > 0);
}

/** At most `maxLength` tokens, the last of which is a target; none where no target is among them. */
function cut({ ids, isTarget }: Sequence, maxLength: number): Sequence {
  const end = isTarget.subarray(0, maxLength).lastIndexOf(1) + 1;
  const kept = isTarget.slice(0, end);
  return { ids: ids.slice(0, end), isTarget: kept, targets: kept.reduce((sum, one) => sum + one, 0) };
}
