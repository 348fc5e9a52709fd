import { type Command, InvalidArgumentError } from "commander";
import type { BackendName } from "../backend/backend.js";
import { BACKEND_NAMES } from "../backend/backend.js";
import { KV_DTYPES, type KvDtype } from "../backend/kv.js";
import { defined } from "../base/defined.js";
import type { GenerateOptions } from "../engine/options.js";
import { DEFAULT_MODEL } from "../load/catalogue.js";
import type { Gemma, LoadOptions } from "../runtime/gemma.js";
import type { CliContext } from "./context.js";
import { createProgress } from "./progress.js";

/** Name under which the adapter of `--adapter` is loaded. */
export const ADAPTER = "adapter";

/** Loading faster than this shows no progress. */
const PATIENCE_MS = 700;

export interface ModelFlags {
  readonly model: string;
  readonly adapter?: string;
  readonly backend?: BackendName;
  readonly activations?: "int8" | "f32";
  readonly isa?: string;
  readonly threads?: number;
  readonly ctx?: number;
  readonly kv?: KvDtype;
  readonly screenHead: boolean;
  readonly draftModel?: string;
}

/** Flags of every command that loads a model and no more than one adapter. */
export function addModelFlags(command: Command, defaultModel = DEFAULT_MODEL, more = ""): Command {
  command.option("-m, --model <model>", `name, source or path of the model${more}`, defaultModel);
  return addBackendFlags(command.option("--adapter <dir>", "PEFT LoRA adapter folder"));
}

/** How a model is computed. */
export function addBackendFlags(command: Command): Command {
  return command
    .option("--backend <name>", `one of ${BACKEND_NAMES.join(", ")}`, oneOf(BACKEND_NAMES))
    .option("--activations <type>", "int8 (fast) or f32 (exact)", oneOf(["int8", "f32"] as const))
    .option("--isa <name>", "force an instruction set, e.g. avx2")
    .option("--threads <n>", "threads of the backend", integer(1, 1024))
    .option("--ctx <n>", "context length in tokens", integer(1, 1 << 20))
    .option("--kv <type>", `type of the key/value cache: ${KV_DTYPES.join(", ")}`, oneOf(KV_DTYPES))
    .option(
      "--draft-model <model>",
      "a smaller model with the same vocabulary that guesses tokens; the same text, sooner",
    )
    .option("--no-screen-head", "read all of the head at each step; the same tokens, slower");
}

export interface SamplingFlags {
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly logprobs?: number;
  readonly promptLookup: boolean;
}

/** Flags of every command that generates. */
export function addSamplingFlags(command: Command): Command {
  return command
    .option("-n, --max-tokens <n>", "tokens to generate at most", integer(0, 2 ** 31 - 1))
    .option("-t, --temperature <x>", "0: always the most likely token", number(0, 100))
    .option("--top-k <n>", "keep the k most likely tokens; 0: all", integer(0, 2 ** 31 - 1))
    .option("--top-p <x>", "keep the most likely tokens that sum to this", number(0, 1))
    .option("--min-p <x>", "keep tokens this times as likely as the best", number(0, 1))
    .option("--repetition-penalty <x>", "divides logits of tokens seen before; 1: off", number(1e-3, 1e3))
    .option("--presence-penalty <x>", "subtracted from tokens already generated", number(-100, 100))
    .option("--frequency-penalty <x>", "subtracted for each time generated", number(-100, 100))
    .option("--seed <n>", "same seed, same text", integer(0, Number.MAX_SAFE_INTEGER))
    .option("--stop <text>", "end before this text; may be repeated", (text: string, before: string[] = []) => [
      ...before,
      text,
    ])
    .option("--logprobs <n>", "with --json: log-probabilities, with n alternatives each", integer(0, 100))
    .option("--no-prompt-lookup", "guess no tokens from the text so far; only the speed differs");
}

/** The flags that were given, as options of `generate`. */
export function generateOptions(flags: SamplingFlags & Pick<ModelFlags, "adapter">): GenerateOptions {
  const { maxTokens, temperature, topK, topP, minP, seed, stop, logprobs } = flags;
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = flags;
  const given = {
    ...{ maxTokens, temperature, topK, topP, minP, seed, stop, logprobs },
    ...{ repetitionPenalty, presencePenalty, frequencyPenalty },
    adapter: flags.adapter === undefined ? undefined : ADAPTER,
    promptLookup: flags.promptLookup,
  };
  return defined(given);
}

/** The flags that were given, as settings of a load; adapters apart. */
export function loadSettings(flags: Omit<ModelFlags, "model" | "adapter">): Omit<LoadOptions, "adapters"> {
  const { backend, activations, isa, threads, ctx, kv, screenHead, draftModel } = flags;
  const settings = { backend, activations, isa, threads, contextLength: ctx, kv, screenHead, draftModel };
  return defined(settings);
}

/** Loads the model that the flags name, with progress on standard error where it takes its time. */
export async function loadGemma(
  flags: ModelFlags,
  { output, signal }: CliContext,
  more: Pick<LoadOptions, "maxSequences"> = {},
): Promise<Gemma> {
  const { Gemma } = await import("../runtime/gemma.js");
  const { model, adapter } = flags;
  const progress = createProgress();
  const isShown = !output.json || process.stderr.isTTY;
  const start = performance.now();
  try {
    return await Gemma.load(model, {
      ...loadSettings(flags),
      ...more,
      ...(adapter === undefined ? {} : { adapters: { [ADAPTER]: adapter } }),
      signal,
      onNote: (line) => {
        progress.end();
        output.note(line);
      },
      onProgress: ({ phase, what, done, total, bytesPerSecond, remainingSeconds }) => {
        if (!isShown || (phase === "weights" && performance.now() - start < PATIENCE_MS)) return;
        progress.update(`${phase} ${what}`, {
          doneBytes: done,
          totalBytes: total,
          ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
          ...(remainingSeconds === undefined ? {} : { remainingSeconds }),
        });
      },
    });
  } finally {
    progress.end();
  }
}

/** One of a closed set of values. */
export function oneOf<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((v) => v === text);
    if (value === undefined) throw new InvalidArgumentError(`must be one of ${values.join(", ")}`);
    return value;
  };
}

export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`must be an integer in ${min}..${max}`);
  };
}

export function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`must be a number in ${min}..${max}`);
  };
}
