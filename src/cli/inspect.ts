import type { Command } from "commander";
import { KV_DTYPES, type KvDtype } from "../backend/kv.js";
import type { GgufValue } from "../format/gguf-values.js";
import type { Inspection } from "../load/inspect.js";
import type { CliContext } from "./context.js";
import { integer, oneOf } from "./model-options.js";
import { printable } from "./output.js";
import { formatBytes } from "./progress.js";
import { withPullProgress } from "./pull-progress.js";

interface InspectFlags {
  readonly base?: string;
  readonly ctx?: number;
  readonly kv?: KvDtype;
}

/** `gemma inspect PATH`: checks a file or folder as loading would, and prints what is in it. */
export function register(program: Command, context: CliContext): void {
  program
    .command("inspect")
    .description("check a model, adapter, tokenizer or container; print metadata, tensors and needs")
    .argument("<path>", "a GGUF or safetensors file, an index, a folder, or a model's name")
    .option("--base <model>", "the base model of an adapter folder")
    .option("--ctx <n>", "context length for the memory estimate", integer(1, 1 << 20))
    .option("--kv <type>", `type of the key/value cache for the estimate: ${KV_DTYPES.join(", ")}`, oneOf(KV_DTYPES))
    .action((path: string, flags: InspectFlags) => inspect(path, flags, context));
}

async function inspect(text: string, flags: InspectFlags, context: CliContext): Promise<void> {
  const [{ resolveModel }, { inspectPath }] = await Promise.all([
    import("../load/pull.js"),
    import("../load/inspect.js"),
  ]);
  const resolve = (model: string) => withPullProgress(context, (options) => resolveModel(model, options));
  const { path, adapter } = await resolve(text);
  const base = flags.base === undefined ? undefined : await resolve(flags.base);
  // A model of the package is an adapter; its base can be inspected by its own name.
  const found = adapter === undefined ? inspectPath(path, base?.path) : inspectPath(adapter, base?.path ?? path);
  const report = { ...describe(found), memory: await memoryOf(found, flags) };
  context.output.data(report);
  print(report, context);
}

type Report = ReturnType<typeof describe> & { readonly memory: Awaited<ReturnType<typeof memoryOf>> };

/** The stable JSON form, without the memory estimate. */
function describe({ kind, format, path, metadata, tensors, model, adapter, vocabulary, notes }: Inspection) {
  return {
    kind,
    format,
    path,
    metadata: Object.fromEntries([...metadata].map(([key, value]) => [key, plain(value)])),
    config: model?.config ?? null,
    adapter: adapter && {
      baseModel: adapter.config.baseModel ?? null,
      targetModules: adapter.config.targetModules ?? null,
      pairs: adapter.layers.reduce((sum, pairs) => sum + pairs.size, 0),
    },
    tokenizer: vocabulary && { tokens: vocabulary.size },
    parameters: [...tensors.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    tensors: [...tensors.values()].map(({ name, dtype, shape, sizeBytes }) => ({ name, dtype, shape, sizeBytes })),
    notes,
  };
}

async function memoryOf({ model }: Inspection, { ctx, kv }: InspectFlags) {
  if (model === null) return null;
  const { engineOptions, neededMemory } = await import("../runtime/memory-plan.js");
  const settings = { ...(ctx === undefined ? {} : { contextLength: ctx }), ...(kv === undefined ? {} : { kv }) };
  const options = engineOptions(settings, model.config);
  const needed = neededMemory(model.config, model.tensors, options);
  return { contextLength: options.contextLength, kv: options.kv, ...needed };
}

/** A vocabulary's arrays are told by their length: a quarter of a million entries help nobody. */
const LONGEST_ARRAY = 64;

function plain(value: GgufValue): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value !== "object") return value;
  if (value.length > LONGEST_ARRAY) return { length: value.length };
  return Array.from({ length: value.length }, (_, i) => plain(value.at(i) as GgufValue));
}

function print(report: Report, { output }: CliContext): void {
  const { bold, dim } = output.colors;
  const heading = (text: string) => output.line(bold(text));
  const pair = (name: string, value: unknown) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    output.line(`  ${printable(name)} ${dim("=")} ${printable(text.length > 200 ? `${text.slice(0, 200)}…` : text)}`);
  };
  heading(`${report.kind} (${report.format}) ${printable(report.path)}`);
  for (const note of report.notes) output.line(`  ${printable(note)}`);
  const sections = { metadata: report.metadata, config: report.config, adapter: report.adapter };
  for (const [name, section] of Object.entries(sections)) {
    if (section === null || Object.keys(section).length === 0) continue;
    heading(name);
    for (const [key, value] of Object.entries(section)) pair(key, value);
  }
  if (report.tokenizer) output.line(`${bold("tokenizer")} ${report.tokenizer.tokens} tokens`);
  const { tensors, memory } = report;
  if (tensors.length > 0) heading(`${tensors.length} tensors, ${report.parameters} parameters`);
  const width = tensors.reduce((longest, { name }) => Math.max(longest, name.length), 0);
  for (const { name, dtype, shape, sizeBytes } of tensors) {
    output.line(
      `  ${printable(name.padEnd(width))}  ${dtype.padEnd(5)}  [${shape.join(", ")}]  ${formatBytes(sizeBytes)}`,
    );
  }
  if (memory === null) return;
  heading(`needs about ${formatBytes(memory.totalBytes)} of memory`);
  output.line(`  weights ${formatBytes(memory.weightsBytes)}`);
  output.line(`  cache   ${formatBytes(memory.kvBytes)} for ${memory.contextLength} tokens in ${memory.kv}`);
  output.line(`  scratch ${formatBytes(memory.scratchBytes)}`);
}
