import { defined } from "../../base/defined.js";
import { GemmaError } from "../../base/errors.js";
import type { Tokenizer } from "../../tokenizer/tokenizer.js";
import { type EncodedExample, type EncodedExamples, encodeExamples } from "../data/encode-examples.js";
import type { Example } from "../data/example.js";
import type { LengthReport } from "../data/lengths.js";
import { readExamples } from "../data/read-examples.js";
import type { ExampleSource } from "../data/source.js";
import { countAmong, type Duplicates, splitExamples } from "../data/split.js";
import type { TuneConfig } from "./config.js";
import type { RunConfig } from "./record.js";

/** Where a run's examples come from; nothing held out: what the configuration draws. */
export interface DataSources {
  readonly data: readonly ExampleSource[];
  readonly heldOut: readonly ExampleSource[];
}

/** What is learned and what is measured, as token ids. */
export interface PreparedData {
  readonly train: readonly EncodedExample[];
  readonly heldOut: readonly EncodedExample[];
  /** The held-out ones before they were encoded. */
  readonly heldOutExamples: readonly Example[];
  readonly lengths: LengthReport;
  readonly heldOutLengths: LengthReport | null;
  readonly duplicates: Duplicates;
  /** Held-out examples that are learned, too. */
  readonly learnedHeldOut: number;
}

/**
 * Reads, checks, divides and encodes all data.
 * @throws ERR_BAD_DATA with each broken line; ERR_USAGE for data that the method cannot learn; the reason of an aborted signal
 */
export async function prepareData(
  sources: DataSources,
  tokenizer: Tokenizer,
  config: RunConfig,
  signal?: AbortSignal,
): Promise<PreparedData> {
  const options = { columns: config.columns, ...defined({ kind: config.kind, signal }) };
  const read = async (from: readonly ExampleSource[]) => {
    const { kind, examples } = await readExamples(from, options);
    expectKind(kind, config.method);
    return examples;
  };
  const wanted =
    config.heldOutShare !== undefined ? { fraction: config.heldOutShare } : { count: config.heldOutCount ?? 0 };
  const isDrawn = "fraction" in wanted ? wanted.fraction > 0 : wanted.count > 0;
  const isGiven = sources.heldOut.length > 0;
  if (isDrawn && isGiven) {
    throw new GemmaError("ERR_USAGE", "held-out data: must be given or drawn from the data, got both");
  }
  const split = splitExamples(await read(sources.data), wanted, config.seed);
  const heldOut = isGiven ? await read(sources.heldOut) : split.heldOut;
  const { template, maxLength, longTexts } = config;
  const encode = (examples: readonly Example[]): Promise<EncodedExamples> =>
    encodeExamples(examples, tokenizer, { template, maxLength, longTexts, ...defined({ signal }) });
  const train = await encode(split.train);
  const measured = heldOut.length > 0 ? await encode(heldOut) : null;
  return {
    train: train.examples,
    heldOut: measured?.examples ?? [],
    heldOutExamples: heldOut,
    lengths: train.lengths,
    heldOutLengths: measured?.lengths ?? null,
    duplicates: split.duplicates,
    learnedHeldOut: isGiven ? countAmong(heldOut, split.train) : 0, // what is drawn is not
  };
}

function expectKind(kind: Example["kind"], method: TuneConfig["method"]): void {
  if ((kind === "preference") === (method === "dpo")) return;
  const needed = method === "dpo" ? "preferences (prompt, chosen, rejected)" : "answers to learn";
  throw new GemmaError("ERR_USAGE", `data: the method ${method} needs ${needed}, got examples of the kind ${kind}`, {
    hint: method === "dpo" ? "choose the method lora" : "choose the method dpo, or name the kind and the columns",
  });
}
