import { resolve } from "node:path";
import { GemmaError } from "../base/errors.js";
import { type DatasetSpec, describeDataset, parseDatasetSpec } from "../load/dataset-spec.js";
import { pullDatasets } from "../load/pull-dataset.js";
import type { PullOptions } from "../load/pull-options.js";
import { readTable } from "../load/read-table.js";
import { fileSource } from "../tune/data/file-source.js";
import { type DataRow, type ExampleSource, rowsSource } from "../tune/data/source.js";
import type { DataSources } from "../tune/run/prepare-data.js";

/** Files and data sets by name, or rows of a program. */
export type TuneData = readonly string[] | readonly DataRow[];

/** Files by their whole path, so that a run goes on from any folder; rows have no name. */
export function dataNames(data: TuneData): readonly string[] | null {
  const names = data.filter((entry) => typeof entry === "string");
  if (names.length === data.length) return names.map((name) => (isHub(name) ? name : resolve(name)));
  if (names.length === 0) return null;
  throw new GemmaError("ERR_USAGE", "data: must be all names or all rows, got both");
}

/** Opens what is named; a data set of the hub is fetched if needed. */
export async function openData(
  { data, heldOutData }: { readonly data: TuneData; readonly heldOutData: TuneData },
  pull: PullOptions,
): Promise<DataSources> {
  return { data: await sourcesOf(data, pull), heldOut: await sourcesOf(heldOutData, pull) };
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
  return parseDatasetSpec(name.startsWith("hf:datasets/") ? name : name.replace("hf:", "hf:datasets/"), name);
}
