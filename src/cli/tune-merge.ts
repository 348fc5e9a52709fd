import type { Command } from "commander";
import { defined } from "../base/defined.js";
import { WRITTEN_DTYPES } from "../format/quantise.js";
import { DEFAULT_MODEL } from "../load/catalogue.js";
import type { CliContext } from "./context.js";
import { oneOf } from "./model-options.js";
import { createProgress, formatBytes } from "./progress.js";
import { withPullProgress } from "./pull-progress.js";

interface MergeFlags {
  readonly model: string;
  readonly adapter: string;
  readonly out: string;
  readonly format?: "safetensors" | "gguf";
  readonly dtype?: string;
  readonly force?: boolean;
}

const DTYPE_FLAGS = WRITTEN_DTYPES.map((name) => name.toLowerCase());

/** `gemma tune merge --adapter DIR --out PATH`: writes a model with an adapter merged into its weights. */
export function register(tune: Command, context: CliContext): void {
  tune
    .command("merge")
    .configureHelp({ showGlobalOptions: false }) // those of `tune` are not its own
    .description("merge an adapter into its model's weights, as a safetensors folder or a GGUF file")
    .option("-m, --model <model>", "name, source or path of the base model", DEFAULT_MODEL)
    .requiredOption("--adapter <dir>", "PEFT LoRA adapter folder")
    .requiredOption("--out <path>", "a new folder, or a new file that ends in .gguf")
    .option("--format <name>", "safetensors or gguf; default: as --out ends", oneOf(["safetensors", "gguf"] as const))
    .option("--dtype <name>", `${DTYPE_FLAGS.join(", ")}; default: as stored, else bf16 or q8_0`, oneOf(DTYPE_FLAGS))
    .option("--force", "replace what has the name --out")
    .action((flags: MergeFlags) => merge(flags, context));
}

async function merge(flags: MergeFlags, context: CliContext): Promise<void> {
  const [{ resolveModel }, { expectWhole }, { mergeAdapter }] = await Promise.all([
    import("../load/pull.js"),
    import("../load/tuned.js"),
    import("../runtime/merge-adapter.js"),
  ]);
  expectWhole(flags.model, "model");
  const { path: base } = await withPullProgress(context, (options) => resolveModel(flags.model, options));
  const progress = createProgress();
  const isShown = !context.output.json || process.stderr.isTTY; // a script that asked for JSON finds no progress in its log
  try {
    const result = await mergeAdapter(base, flags.adapter, flags.out, {
      ...defined({
        format: flags.format,
        dtype: WRITTEN_DTYPES.find((name) => name.toLowerCase() === flags.dtype),
        replace: flags.force,
      }),
      signal: context.signal,
      onProgress: (event) => {
        if (isShown) progress.update(`write ${flags.out}`, event);
      },
    });
    progress.end();
    const kind = result.format === "gguf" ? "GGUF file" : "safetensors folder";
    const size = formatBytes(result.sizeBytes);
    context.output.line(`${result.path}: ${kind}, ${size}, ${result.mergedMatrices} matrices merged`);
    context.output.data(result);
  } finally {
    progress.end();
  }
}
