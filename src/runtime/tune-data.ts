import { resolve } from "node:path";
import { GemmaError } from "../base/errors.js";
import { type DatasetSpec, describeDataset, parseDatasetSpec } from "../load/dataset-spec.js";
import { pullDatasets } from "../load/pull-dataset.js";
import type { PullOptions } from "../load/pull-options.js";
import { readTable } from "../load/read-table.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { type EncodedExample, type EncodedExamples, encodeExamples } from "../tune/data/encode-examples.js";
import type { Example } from "../tune/data/example.js";
import { fileSource } from "../tune/data/file-source.js";
import type { LengthReport } from "../tune/data/lengths.js";
import { readExamples } from "../tune/data/read-examples.js";
import { type DataRow, type ExampleSource, rowsSource } from "../tune/data/source.js";
import { countAmong, type Duplicates, splitExamples } from "../tune/data/split.js";
import type { TuneConfig } from "../tune/run/config.js";
import type { RunConfig } from "../tune/run/record.js";

/** Files and data sets by name, or rows of a program. */
export type TuneData = readonly string[] | readonly DataRow[];

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

/** Files by their whole path, so that a run goes on from any folder; rows have no name. */
export function dataNames(data: TuneData): readonly string[] | null {
  const names = data.filter((entry) => typeof entry === "string");
  if (names.length === data.length) return names.map((name) => (isHub(name) ? name : resolve(name)));
  if (names.length === 0) return null;
  throw new GemmaError("ERR_USAGE", "data: must be all names or all rows, got both");
}

/**
 * Reads, checks, divides and encodes all data.
 * @throws ERR_BAD_DATA with each broken line; ERR_USAGE for data that the method cannot learn
 */
export async function prepareData(
  { data, heldOutData }: { readonly data: TuneData; readonly heldOutData: TuneData },
  tokenizer: Tokenizer,
  config: RunConfig,
  pull: PullOptions,
): Promise<PreparedData> {
  const { signal } = pull;
  const options = {
    columns: config.columns,
    ...(config.kind ? { kind: config.kind } : {}),
    ...(signal ? { signal } : {}),
  };
  const read = async (from: TuneData) => {
    const { kind, examples } = await readExamples(await sourcesOf(from, pull), options);
    expectKind(kind, config.method);
    return examples;
  };
  const wanted =
    config.heldOutShare !== undefined ? { fraction: config.heldOutShare } : { count: config.heldOutCount ?? 0 };
  const isDrawn = "fraction" in wanted ? wanted.fraction > 0 : wanted.count > 0;
  if (isDrawn && heldOutData.length > 0) {
    throw new GemmaError("ERR_USAGE", "held-out data: must be given or drawn from the data, got both");
  }
  const split = splitExamples(await read(data), wanted, config.seed);
  const heldOut = heldOutData.length > 0 ? await read(heldOutData) : split.heldOut;
  const encode = (examples: readonly Example[]): Promise<EncodedExamples> =>
    encodeExamples(examples, tokenizer, {
      template: config.template,
      maxLength: config.maxLength,
      longTexts: config.longTexts,
      ...(signal ? { signal } : {}),
    });
  const train = await encode(split.train);
  const measured = heldOut.length > 0 ? await encode(heldOut) : null;
  return {
    train: train.examples,
    heldOut: measured?.examples ?? [],
    heldOutExamples: heldOut,
    lengths: train.lengths,
    heldOutLengths: measured?.lengths ?? null,
    duplicates: split.duplicates,
    learnedHeldOut: heldOutData.length > 0 ? countAmong(heldOut, split.train) : 0, // what is drawn is not
  };
}

function expectKind(kind: Example["kind"], method: TuneConfig["method"]): void {
  if ((kind === "preference") === (method === "dpo")) return;
  const needed = method === "dpo" ? "preferences (prompt, chosen, rejected)" : "answers to learn";
  throw new GemmaError("ERR_USAGE", `data: the method ${method} needs ${needed}, got examples of the kind ${kind}`, {
    hint: method === "dpo" ? "choose the method lora" : "choose the method dpo, or name the kind and the columns",
  });
}

async function sourcesOf(data: TuneData, pull: PullOptions): Promise<readonly ExampleSource[]> {
  const names = dataNames(data);
  if (names === null) return [rowsSource("rows", data as readonly DataRow[])];
  const sources: ExampleSource[] = [];
  for (const name of names) sources.push(isHub(name) ? await hubSource(hubSpec(name), pull) : await fileSource(name));
  return sources;
}

async function hubSource(spec: DatasetSpec, pull: PullOptions): Promise<ExampleSource> {
  const [dataset] = await pullDatasets([spec], pull);
  const name = describeDataset(spec);
  return rowsSource(name, async function* () {
    for await (const { row } of readTable(dataset!.paths, () => name, pull.signal)) yield row;
  });
}

function isHub(name: string): boolean {
  return name.startsWith("hf:");
}

/** `hf:OWNER/NAME` means a data set here; `hf:datasets/OWNER/NAME` is its full name. */
function hubSpec(name: string): DatasetSpec {
  return parseDatasetSpec(name.startsWith("hf:datasets/") ? name : name.replace("hf:", "hf:datasets/"));
}
