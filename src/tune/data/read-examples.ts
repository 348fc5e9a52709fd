import { GemmaError } from "../../base/errors.js";
import { macrotask } from "../../base/macrotask.js";
import { type ColumnNames, checkExample } from "./check-example.js";
import type { Example, ExampleKind } from "./example.js";
import { Places } from "./places.js";
import type { DataRecord, ExampleSource } from "./source.js";

/** Of so many broken lines the message says what is wrong; of the others, where they stand. */
const SHOWN = 20;
const PAUSE_EVERY = 1024;
const MAX_EXAMPLES = 10_000_000;
const MAX_CHARACTERS = 1 << 29;

export interface ReadOptions {
  /** Which kind to read from rows that have the columns of several, which are refused otherwise. */
  readonly kind?: ExampleKind;
  readonly columns?: ColumnNames;
  readonly signal?: AbortSignal;
}

export interface Examples {
  /** Of the first one: preferences stand by themselves, the other kinds may be mixed. */
  readonly kind: ExampleKind;
  readonly examples: readonly Example[];
}

/**
 * Reads and checks all examples of all sources, before anything is done with the first one. Preferences are not mixed
 * with other kinds. Plain text among conversations is welcome: a model that sees some forgets less of what it knew.
 *
 * @throws ERR_BAD_DATA that has the number of each broken line, and what is wrong with the first 20; also where there is no
 *   example
 * @throws ERR_LIMIT_EXCEEDED for more than 10 million examples or 2^29 characters; the reason of an aborted signal
 */
export async function readExamples(sources: readonly ExampleSource[], options: ReadOptions = {}): Promise<Examples> {
  const { columns, signal } = options;
  const examples: Example[] = [];
  const problems: string[] = [];
  const others = new Places();
  let records = 0;
  let bad = 0;
  let characters = 0;
  for (const source of sources) {
    for await (const record of source.records()) {
      if (records++ % PAUSE_EVERY === 0) await macrotask(); // who aborts is heard
      signal?.throwIfAborted();
      if (records > MAX_EXAMPLES) throw tooMuch(source.name);
      const example = exampleOf(record, columns, options.kind, examples[0]);
      if (typeof example === "string") {
        if (bad++ < SHOWN) problems.push(`${record.at}: ${example}`);
        else others.add(record.at);
        continue;
      }
      characters += charactersOf(example);
      if (characters > MAX_CHARACTERS) throw tooMuch(source.name);
      examples.push(example);
    }
  }
  if (bad > 0) throw badData(problems, bad > SHOWN ? [`and ${bad - SHOWN} more: ${others}`] : [], bad, records);
  const [first] = examples;
  if (first !== undefined) return { kind: first.kind, examples };
  const names = sources.map(({ name }) => name).join(", ");
  throw new GemmaError("ERR_BAD_DATA", `${names || "data"}: must hold examples, got none`);
}

/** The example of a record, or what is wrong with it. */
function exampleOf(
  record: DataRecord,
  columns: ColumnNames | undefined,
  kind: ExampleKind | undefined,
  first: Example | undefined,
): Example | string {
  if ("problem" in record) return record.problem;
  try {
    const example = checkExample(record.row, record.at, columns, kind);
    if (first === undefined || (first.kind === "preference") === (example.kind === "preference")) return example;
    return `must go with ${first.at}, which is of the kind ${first.kind}, got ${example.kind}`;
  } catch (error) {
    if (error instanceof GemmaError) return error.message;
    throw error;
  }
}

function charactersOf(example: Example): number {
  let sum = 0;
  for (const value of Object.values(example)) {
    if (typeof value === "string") sum += value.length;
    else for (const { content } of value) sum += content.length;
  }
  return sum;
}

function badData(problems: readonly string[], more: readonly string[], bad: number, records: number): GemmaError {
  const lines = [...problems, ...more].map((line) => `\n  ${line}`).join("");
  return new GemmaError(
    "ERR_BAD_DATA",
    `data: every line must be an example, got ${bad} of ${records} that ${bad === 1 ? "is" : "are"} not:${lines}`,
    { hint: "mend or remove these lines; nothing was started" },
  );
}

function tooMuch(name: string): GemmaError {
  return new GemmaError(
    "ERR_LIMIT_EXCEEDED",
    `${name}: data must have at most ${MAX_EXAMPLES} examples and ${MAX_CHARACTERS} characters, got more`,
  );
}
