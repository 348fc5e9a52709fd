import { z } from "zod";
import { GemmaError } from "../../base/errors.js";
import { PROJECTIONS } from "../../model/adapter.js";

// Every hyper-parameter with its range and default. What a method does not know, it refuses.

const integer = (min: number, max: number) =>
  z.custom<number>((value) => Number.isSafeInteger(value) && inRange(value, min, max), {
    error: ({ input }) => `must be an integer from ${min} to ${max}, got ${show(input)}`,
  });

const number = (min: number, max: number) =>
  z.custom<number>((value) => inRange(value, min, max), {
    error: ({ input }) => `must be a number from ${min} to ${max}, got ${show(input)}`,
  });

/** Greater than 0. */
const positive = (max: number) =>
  z.custom<number>((value) => inRange(value, 0, max) && value !== 0, {
    error: ({ input }) => `must be a number above 0, at most ${max}, got ${show(input)}`,
  });

/** From `min` up to 1, without 1 itself. */
const belowOne = () =>
  z.custom<number>((value) => inRange(value, 0, 1) && value !== 1, {
    error: ({ input }) => `must be a number from 0 to below 1, got ${show(input)}`,
  });

const choice = <T extends string>(values: readonly T[]) =>
  z.custom<T>((value) => values.includes(value as T), {
    error: ({ input }) => `must be one of ${values.join(", ")}, got ${show(input)}`,
  });

const flag = () =>
  z.custom<boolean>((value) => typeof value === "boolean", {
    error: ({ input }) => `must be true or false, got ${show(input)}`,
  });

const COLUMNS = ["messages", "prompt", "completion", "text", "chosen", "rejected"] as const;
const MAX_STEPS = 1e6;

const common = (learningRate: number) => ({
  /** The highest one. */
  learningRate: positive(1).default(learningRate),
  /** How it falls from the highest to the lowest, behind the warm-up. */
  schedule: choice(["cosine", "linear", "constant"]).default("cosine"),
  /** Steps in which it rises. Instead of warmupShare. */
  warmupSteps: integer(0, MAX_STEPS).optional(),
  /** The same as a share of all steps. Default: 0.03. */
  warmupShare: belowOne().optional(),
  minLearningRate: number(0, 1).default(0),
  /** AdamW's. */
  weightDecay: number(0, 1).default(0),
  beta1: belowOne().default(0.9),
  beta2: belowOne().default(0.999),
  epsilon: positive(1).default(1e-8),
  /** The gradient is scaled down to this norm where it is larger; 0: never. */
  clipNorm: number(0, 1e6).default(1),

  /** Times that all examples are learned. Default: 3, or as many as maxSteps takes. */
  epochs: integer(1, 1e5).optional(),
  /** Steps at most. */
  maxSteps: integer(1, MAX_STEPS).optional(),
  /** Tokens of a micro-batch at most; examples are packed. Instead of batchExamples. Default: 2048. */
  batchTokens: integer(2, 1e7).optional(),
  /** Examples of a micro-batch, whatever their lengths. */
  batchExamples: integer(1, 1e6).optional(),
  /** Micro-batches whose gradients are added up for one step. */
  accumulate: integer(1, 1e6).default(1),
  /** Tokens of a sequence; what is longer loses its end, but see longTexts. */
  maxLength: integer(2, 1 << 20).default(1024),
  /** What happens to a `{text}` that is longer: its end is lost, or it is learned in parts, as in pre-training. */
  longTexts: choice(["cut", "split"]).default("cut"),
  /** Of the examples' order, the adapter's first values and dropout. */
  seed: integer(0, Number.MAX_SAFE_INTEGER).default(0),

  /** How examples are written. Default: "gemma" for instruction-tuned models, "qa" for others. */
  template: choice(["gemma", "qa", "none"]).optional(),
  /** Which kind rows are that have the columns of several. */
  kind: choice(["chat", "completion", "text", "preference"]).optional(),
  /** What the data call their columns. */
  columns: z
    .strictObject(Object.fromEntries(COLUMNS.map((name) => [name, z.string().min(1).optional()])), {
      error: (issue) => (issue.code === "invalid_type" ? `must be an object, got ${show(issue.input)}` : undefined),
    })
    .default({}),
  /** Share of the examples that is not learned, but measured. Instead of heldOutCount. */
  heldOutShare: number(0, 0.9).optional(),
  heldOutCount: integer(0, 1e7).optional(),
  /** Steps between two measurements; 0: only before the first step and behind the last. */
  evalEvery: integer(0, MAX_STEPS).default(100),
  /** Steps between two checkpoints. */
  checkpointEvery: integer(1, MAX_STEPS).default(100),
  /** How many are kept; a damaged one falls back to the one before. */
  keepCheckpoints: integer(1, 1e4).default(2),
  /**
   * Keep the input of each block alone and compute its inside anew: less memory, more time, the same bits. Default: where
   * keeping everything would take more than a quarter of the machine's memory.
   */
  activationCheckpoints: flag().optional(),
  /**
   * "int8": activations meet quantised weights as integers, as they do when the model answers, and gradients are rounded to bf16:
   * several times as fast. "f32": exact.
   */
  activations: choice(["int8", "f32"]).default("int8"),
});

const lora = {
  rank: integer(1, 1024).default(16),
  /** The update is scaled by alpha / rank. Default: twice the rank. */
  alpha: positive(1e6).optional(),
  /** Scale by alpha / sqrt(rank) instead. */
  rsLora: flag().default(false),
  /** Matrices that get a pair. */
  targets: z
    .array(choice(PROJECTIONS), {
      error: ({ input }) => `must be a list of ${PROJECTIONS.join(", ")}, got ${show(input)}`,
    })
    .min(1, "must name one at least, got none")
    .default([...PROJECTIONS]),
  /** Share of the pairs' inputs that is dropped at each step. */
  dropout: belowOne().default(0),
};

const SCHEMAS = {
  lora: z.strictObject({ method: z.literal("lora"), ...lora, ...common(2e-4) }),
  full: z.strictObject({ method: z.literal("full"), ...common(2e-5) }),
  dpo: z.strictObject({
    method: z.literal("dpo"),
    ...lora,
    /** How firmly the tuned model is held to the base: small values let it go further. */
    beta: positive(10).default(0.1),
    ...common(2e-5),
  }),
};

export type TuneMethod = keyof typeof SCHEMAS;
export const TUNE_METHODS = Object.keys(SCHEMAS) as readonly TuneMethod[];

type Input<M extends TuneMethod> = Omit<z.input<(typeof SCHEMAS)[M]>, "method">;

/** What a run may be told; docs/tuning.md has the table. */
export type TuneOptions =
  | (Input<"lora"> & { readonly method?: "lora" | undefined })
  | (Input<"full"> & { readonly method: "full" })
  | (Input<"dpo"> & { readonly method: "dpo" });

type Resolved = { readonly batchTokens: number | undefined; readonly warmupShare: number | undefined };
type LoraResolved = Resolved & { readonly alpha: number };

/** Checked, and complete but for what depends on the model. */
export type TuneConfig =
  | (z.output<typeof SCHEMAS.lora> & LoraResolved)
  | (z.output<typeof SCHEMAS.full> & Resolved)
  | (z.output<typeof SCHEMAS.dpo> & LoraResolved);

/** The names that a method takes, for tests and flags. */
export function optionNames(method: TuneMethod): readonly string[] {
  return Object.keys(SCHEMAS[method].shape);
}

/**
 * Checks options and fills in defaults.
 * @param where names them in messages
 * @throws ERR_USAGE for an unknown name, or two that exclude each other; ERR_RANGE for a value outside its range
 */
export function parseTuneConfig(options: unknown, where = "options"): TuneConfig {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new GemmaError("ERR_USAGE", `${where}: must be an object, got ${show(options)}`);
  }
  const given = { method: "lora", ...options };
  const schema = SCHEMAS[given.method as TuneMethod];
  if (!Object.hasOwn(SCHEMAS, given.method)) {
    throw new GemmaError(
      "ERR_RANGE",
      `${where}: method must be one of ${TUNE_METHODS.join(", ")}, got ${show(given.method)}`,
    );
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw refusal(parsed.error.issues[0]!, given.method, where);
  const config = parsed.data;
  for (const [one, other] of [
    ["batchTokens", "batchExamples"],
    ["warmupSteps", "warmupShare"],
    ["heldOutShare", "heldOutCount"],
  ] as const) {
    if (config[one] === undefined || config[other] === undefined) continue;
    throw new GemmaError("ERR_USAGE", `${where}: ${one} and ${other} exclude each other, got both`);
  }
  if (config.minLearningRate > config.learningRate) {
    throw new GemmaError(
      "ERR_RANGE",
      `${where}: minLearningRate must be at most learningRate, ${config.learningRate}, got ${config.minLearningRate}`,
    );
  }
  const resolved = {
    batchTokens: config.batchTokens ?? (config.batchExamples === undefined ? DEFAULT_BATCH_TOKENS : undefined),
    warmupShare: config.warmupShare ?? (config.warmupSteps === undefined ? DEFAULT_WARMUP_SHARE : undefined),
  };
  if (config.method === "full") return { ...config, ...resolved };
  const targets = PROJECTIONS.filter((name) => config.targets.includes(name)); // once each, in the model's order
  return { ...config, targets, alpha: config.alpha ?? 2 * config.rank, ...resolved };
}

const DEFAULT_BATCH_TOKENS = 2048;
const DEFAULT_WARMUP_SHARE = 0.03;

function refusal(issue: z.core.$ZodIssue, method: string, where: string): GemmaError {
  const path = issue.path.join(".");
  if (issue.code !== "unrecognized_keys") return new GemmaError("ERR_RANGE", `${where}: ${path} ${issue.message}`);
  const name = [...(path === "" ? [] : [path]), issue.keys[0]].join(".");
  return new GemmaError(
    "ERR_USAGE",
    `${where}: ${show(name)} must be an option of the method ${method}, got an unknown one`,
    {
      hint: "docs/tuning.md lists the options",
    },
  );
}

function inRange(value: unknown, min: number, max: number): boolean {
  return typeof value === "number" && value >= min && value <= max;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
