import { defined } from "../base/defined.js";
import { GemmaError } from "../base/errors.js";

/**
 * How tokens are chosen. Defaults are those of Gemma's generation_config: temperature 1, top-k 64, top-p 0.95;
 * of answers, what `generation_config.json` beside the adapter or the model says.
 */
export interface SamplingOptions {
  /** 0: always the most likely token. Range 0..100. */
  readonly temperature?: number;
  /** Keep the k most likely tokens; 0: all. */
  readonly topK?: number;
  /** Keep the smallest set of tokens whose probabilities sum to at least this; 1: all. */
  readonly topP?: number;
  /** Keep tokens at least this times as likely as the most likely one; 0: all. */
  readonly minP?: number;
  /** Over prompt and answer: positive logits are divided by it, negative ones multiplied. 1: off. */
  readonly repetitionPenalty?: number;
  /** Subtracted from the logit of every token that the answer has already. */
  readonly presencePenalty?: number;
  /** Subtracted from a token's logit for each time that the answer has it. */
  readonly frequencyPenalty?: number;
  /** Added to the logits of these token ids. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** Same seed, same text on the same backend. Default: random. Integer in 0..2^53-1. */
  readonly seed?: number;
}

/** Where a request stands among others. */
export interface RequestOptions {
  /** Whose request it is: tenants get equal shares of what is computed. At most 256 characters. Default: "". */
  readonly tenant?: string;
  /** Integer in -100..100; higher goes first, whatever has been waiting. Default: 0. */
  readonly priority?: number;
  /** From now on, in 0..2^31-1; then the request fails with ERR_DEADLINE, waiting or under way. Default: none. */
  readonly deadlineMs?: number;
  /** What was computed for one prompt is used for another that begins alike only where both have the same salt. Default: "". */
  readonly cacheSalt?: string;
  /** A longer prompt is refused with ERR_CONTEXT_FULL. Default: what the context holds. */
  readonly maxPromptTokens?: number;
}

export interface GenerateOptions extends SamplingOptions, RequestOptions {
  /** Default: what the context leaves. */
  readonly maxTokens?: number;
  /** The text ends before the first of these. */
  readonly stop?: string | readonly string[];
  /** Log-probabilities of the tokens, and of this many alternatives each (0..100). Of the model, before sampling options. */
  readonly logprobs?: number;
  /** The text is JSON that conforms to this schema; see docs/json-schema.md for what is supported. */
  readonly jsonSchema?: Readonly<Record<string, unknown>>;
  /** Name of a loaded adapter. */
  readonly adapter?: string;
  /**
   * Guess tokens from what the prompt and the answer have already, and compute several at once where that pays. The
   * text is the same without. Default: true.
   */
  readonly promptLookup?: boolean;
  /** Go on after the end-of-sequence token; for measurements. */
  readonly ignoreEos?: boolean;
}

/** Options with every default in place. */
export interface ResolvedOptions {
  readonly sampling: Required<Omit<SamplingOptions, "logitBias">>;
  readonly biasIds: Int32Array;
  readonly biasValues: Float32Array;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  /** null: none wanted. */
  readonly logprobs: number | null;
  readonly promptLookup: boolean;
  readonly ignoreEos: boolean;
}

/** @throws ERR_RANGE `temperature must be in 0..100, got -1` */
export function resolveOptions(options: GenerateOptions, vocabSize: number): ResolvedOptions {
  const bias = Object.entries(options.logitBias ?? {});
  return {
    sampling: {
      temperature: inRange("temperature", options.temperature ?? 1, 0, 100),
      topK: integer("topK", options.topK ?? 64, 0, 2 ** 31 - 1),
      topP: inRange("topP", options.topP ?? 0.95, 0, 1),
      minP: inRange("minP", options.minP ?? 0, 0, 1),
      repetitionPenalty: inRange("repetitionPenalty", options.repetitionPenalty ?? 1, 1e-3, 1e3),
      presencePenalty: inRange("presencePenalty", options.presencePenalty ?? 0, -100, 100),
      frequencyPenalty: inRange("frequencyPenalty", options.frequencyPenalty ?? 0, -100, 100),
      seed: integer("seed", options.seed ?? Math.floor(Math.random() * 2 ** 53), 0, Number.MAX_SAFE_INTEGER),
    },
    biasIds: Int32Array.from(bias, ([id]) => integer("logitBias id", Number(id), 0, vocabSize - 1)),
    biasValues: Float32Array.from(bias, ([, value]) => inRange("logitBias", value, -1e6, 1e6)),
    maxTokens: integer("maxTokens", options.maxTokens ?? 2 ** 31 - 1, 0, 2 ** 31 - 1),
    stop: stopStrings(options.stop),
    logprobs: options.logprobs === undefined ? null : integer("logprobs", options.logprobs, 0, 100),
    promptLookup: options.promptLookup ?? true,
    ignoreEos: options.ignoreEos ?? false,
  };
}

/** A request's place among others, with every default in place. */
export interface ResolvedRequest {
  readonly tenant: string;
  readonly priority: number;
  readonly salt: string;
  /** When it was made, on the clock of performance.now(). */
  readonly since: number;
  /** When it must have ended, on the same clock; Infinity: whenever. */
  readonly deadline: number;
}

const MAX_LABEL = 256; // characters

/** @throws ERR_RANGE `priority must be an integer in -100..100, got 101`; ERR_USAGE `tenant must be a string, got 5` */
export function resolveRequest(options: RequestOptions, since = performance.now()): ResolvedRequest {
  const { deadlineMs } = options;
  return {
    tenant: label("tenant", options.tenant ?? ""),
    priority: integer("priority", options.priority ?? 0, -100, 100),
    salt: label("cacheSalt", options.cacheSalt ?? ""),
    since,
    deadline: deadlineMs === undefined ? Infinity : since + inRange("deadlineMs", deadlineMs, 0, 2 ** 31 - 1),
  };
}

/** What a request fails with whose time is over. */
export function deadlineError({ since, deadline }: ResolvedRequest, now = performance.now()): GemmaError {
  const times = `must end within ${Math.round(deadline - since)} ms, got ${Math.round(now - since)} ms`;
  return new GemmaError("ERR_DEADLINE", `request: ${times}`, { hint: "ask for less, or raise deadlineMs" });
}

/** Those of `options` that say where a request stands. */
export function requestOptions(options: RequestOptions): RequestOptions {
  const { tenant, priority, deadlineMs, cacheSalt, maxPromptTokens } = options;
  return defined({ tenant, priority, deadlineMs, cacheSalt, maxPromptTokens });
}

function label(name: string, value: string): string {
  if (typeof value !== "string") throw new GemmaError("ERR_USAGE", `${name} must be a string, got ${String(value)}`);
  if (value.length <= MAX_LABEL) return value;
  throw new GemmaError("ERR_RANGE", `${name} must have at most ${MAX_LABEL} characters, got ${value.length}`);
}

function stopStrings(stop: string | readonly string[] | undefined): readonly string[] {
  const stops = [stop ?? []].flat();
  for (const s of stops) {
    if (typeof s !== "string") throw new GemmaError("ERR_USAGE", "stop must be a string or an array of strings");
    if (s === "") throw new GemmaError("ERR_RANGE", "stop must be a string that is not empty");
  }
  return stops;
}

function inRange(name: string, value: number, min: number, max: number): number {
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw new GemmaError("ERR_RANGE", `${name} must be in ${min}..${max}, got ${value}`);
}

/** @throws ERR_RANGE `name must be an integer in 0..9, got 10` */
export function integer(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new GemmaError("ERR_RANGE", `${name} must be an integer in ${min}..${max}, got ${value}`);
}
