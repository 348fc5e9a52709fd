import { type Command, InvalidArgumentError } from "commander";
import type { BackendName } from "../backend/backend.js";
import { BACKEND_NAMES } from "../backend/backend.js";
import type { CliContext } from "./context.js";
import { integer, oneOf } from "./model-options.js";
import * as merge from "./tune-merge.js";
import * as report from "./tune-report.js";

export interface TuneFlags extends Readonly<Record<string, unknown>> {
  readonly model?: string;
  readonly data?: readonly string[];
  readonly heldOut?: readonly string[];
  readonly out?: string;
  readonly config?: string;
  readonly resume?: string;
  readonly yes?: boolean;
  readonly backend?: BackendName;
  readonly isa?: string;
  readonly threads?: number;
}

// Ranges are checked with those of a --config file, when all is known.
const TEXT = (text: string) => text;
const LIST = (text: string) => text.split(",").map((name) => name.trim());

/** Flags of hyper-parameters: each is called as the option of a --config file is. */
const OPTIONS: readonly (readonly [flag: string, description: string, parse: (text: string) => unknown])[] = [
  ["--method <name>", "lora, full or dpo; default lora", TEXT],
  ["--rank <n>", "of the adapter; default 16", numeric],
  ["--alpha <x>", "the update is scaled by alpha / rank; default twice the rank", numeric],
  ["--targets <names>", "matrices that get a pair, of q,k,v,o,gate,up,down; default all", LIST],
  ["--dropout <x>", "share of the pairs' inputs that is dropped; default 0", numeric],
  ["--beta <x>", "dpo: how firmly the model is held to the base; default 0.1", numeric],
  ["--learning-rate <x>", "the highest one; default 2e-4, full and dpo 2e-5", numeric],
  ["--schedule <name>", "how it falls: cosine, linear or constant; default cosine", TEXT],
  ["--warmup-steps <n>", "steps in which it rises", numeric],
  ["--warmup-share <x>", "the same as a share of all steps; default 0.03", numeric],
  ["--min-learning-rate <x>", "where it ends; default 0", numeric],
  ["--weight-decay <x>", "AdamW's; default 0", numeric],
  ["--clip-norm <x>", "the gradient's largest norm, 0: any; default 1", numeric],
  ["--epochs <n>", "times that all examples are learned; default 3", numeric],
  ["--max-steps <n>", "steps at most", numeric],
  ["--batch-tokens <n>", "tokens of a micro-batch at most; default 2048", numeric],
  ["--batch-examples <n>", "in place of --batch-tokens: examples of a micro-batch, whatever their lengths", numeric],
  ["--accumulate <n>", "micro-batches a step; default 1", numeric],
  ["--max-length <n>", "tokens of an example; the end of a longer one is left out; default 1024", numeric],
  ["--long-texts <name>", "of texts that are longer: cut, or split into sequences; default cut", TEXT],
  ["--activations <type>", "int8 (fast) or f32 (exact); default int8", TEXT],
  ["--seed <n>", "of the order, the first values and dropout; default 0", numeric],
  ["--template <name>", "how examples are written: gemma, qa or none; default as the model chats", TEXT],
  ["--kind <name>", "of rows with the columns of several kinds: chat, completion, text or preference", TEXT],
  ["--columns <names>", "what the data call their columns, e.g. prompt=question,completion=answer", pairs],
  ["--held-out-share <x>", "share of the examples that is measured instead of learned; default 0", numeric],
  ["--held-out-count <n>", "so many examples are measured instead of learned", numeric],
  ["--eval-every <n>", "steps between two measurements, 0: first and last alone; default 100", numeric],
  ["--checkpoint-every <n>", "steps between two checkpoints; default 100", numeric],
  ["--keep-checkpoints <n>", "how many are kept; default 2", numeric],
];

/** `gemma tune`: adapts a model to examples. */
export function register(program: Command, context: CliContext): void {
  const command = program
    .command("tune")
    .description("adapt a model to examples: an adapter (LoRA, DPO) or all of its weights")
    .enablePositionalOptions() // behind a subcommand stand its own flags
    .option("-m, --model <model>", "name, source or path of the model; default gemma-3-270m")
    .option("--data <names...>", "files (.jsonl, .json, .csv) or hf:OWNER/NAME[:SPLIT]")
    .option("--held-out <names...>", "the same: what is measured instead of learned")
    .option("--out <dir>", "new folder of the run: configuration, metrics, checkpoints, and the adapter")
    .option("--config <file>", "options as JSON, by their names in docs/tuning.md; flags go before them")
    .option("--resume <dir>", "go on with the run in this folder, from its newest checkpoint")
    .option("--yes", "also where the run takes more memory than the machine has");
  for (const [flag, description, parse] of OPTIONS) command.option(flag, description, parse);
  command
    .option("--rs-lora", "scale the update by alpha / sqrt(rank)")
    .option(
      "--activation-checkpoints",
      "keep little of a step and compute it anew: less memory, more time, the same weights",
    )
    .option("--no-activation-checkpoints", "keep all of it; default where a quarter of the machine's memory suffices")
    .option("--backend <name>", `one of ${BACKEND_NAMES.join(", ")}`, oneOf(BACKEND_NAMES))
    .option("--isa <name>", "force an instruction set, e.g. avx2")
    .option("--threads <n>", "threads of the backend", integer(1, 1024))
    .action(async (flags: TuneFlags) => {
      const { tuneCommand } = await import("./tune-run.js");
      await tuneCommand(flags, context);
    });
  merge.register(command, context);
  report.register(command, context);
}

function numeric(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("must be a number");
}

function pairs(text: string): Readonly<Record<string, string>> {
  const entries = LIST(text).map((pair) => pair.split("="));
  if (entries.every((entry) => entry.length === 2)) return Object.fromEntries(entries);
  throw new InvalidArgumentError("must be name=column, with commas between");
}
