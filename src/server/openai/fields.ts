import { z } from "@hono/zod-openapi";
import { GemmaError } from "../../base/errors.js";
import type { GenerateOptions } from "../../engine/options.js";

/** The most of each list that a request may hold; a server may allow less (limits). */
const MOST_CHOICES = 128;
const MOST_STOPS = 16;
const MOST_BIASES = 1024;

/** Optional, and null as clients send it for "not given". */
export const optional = <T extends z.ZodType>(schema: T) => schema.nullish();

/** A record that has too many entries is refused before each of them is looked at: a body may hold a hundred thousand. */
export const fewEntries = <T extends z.ZodType>(most: number, schema: T) =>
  z.preprocess((value, context) => {
    const count = typeof value === "object" && value !== null ? Object.keys(value).length : 0;
    if (count <= most) return value;
    context.addIssue({ code: "custom", message: `must have at most ${most} entries, got ${count}` });
    return z.NEVER;
  }, schema);

/** What chat and plain completions share. Beside OpenAI's own: top_k, min_p, repetition_penalty, ignore_eos, priority. */
export const samplingFields = {
  model: optional(z.string().max(256)),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  top_k: optional(
    z
      .number()
      .int()
      .min(0)
      .max(2 ** 31 - 1),
  ),
  min_p: optional(z.number().min(0).max(1)),
  presence_penalty: optional(z.number().min(-2).max(2)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  repetition_penalty: optional(z.number().min(0.01).max(100)),
  seed: optional(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)),
  stop: optional(z.union([z.string().min(1).max(1000), z.array(z.string().min(1).max(1000)).max(MOST_STOPS)])),
  logit_bias: optional(fewEntries(MOST_BIASES, z.record(z.string().regex(/^\d{1,7}$/), z.number().min(-100).max(100)))),
  n: optional(z.number().int().min(1).max(MOST_CHOICES)),
  stream: optional(z.boolean()),
  stream_options: optional(z.object({ include_usage: optional(z.boolean()) })),
  user: optional(z.string().max(1024)),
  ignore_eos: optional(z.boolean()).openapi({
    description: "Go on after the end-of-sequence token; for measurements.",
  }),
  priority: optional(z.number().int().min(-100).max(0)).openapi({
    description: "Below 0: later than other requests of the same key.",
  }),
};

export const tokenLimit = optional(
  z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1),
);

type SamplingInput = z.output<z.ZodObject<typeof samplingFields>>;

/** The fields as options of a generation. Choice `index` of a seeded request has the seed plus its number. */
export function samplingOptions(
  input: SamplingInput,
  maxTokens: number | null | undefined,
  index: number,
): GenerateOptions {
  const bias = Object.entries(input.logit_bias ?? {});
  return given({
    temperature: input.temperature,
    topP: input.top_p,
    topK: input.top_k,
    minP: input.min_p,
    presencePenalty: input.presence_penalty,
    frequencyPenalty: input.frequency_penalty,
    repetitionPenalty: input.repetition_penalty,
    seed: typeof input.seed === "number" ? (input.seed + index) % Number.MAX_SAFE_INTEGER : undefined,
    stop: input.stop,
    logitBias: bias.length > 0 ? Object.fromEntries(bias) : undefined,
    maxTokens,
    ignoreEos: input.ignore_eos,
  });
}

/** The options that a request names: what is null, or not there, has the default. */
export function given(
  options: { readonly [K in keyof GenerateOptions]: GenerateOptions[K] | null | undefined },
): GenerateOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
}

/** Tokens that a request took. */
export const usageSchema = z
  .object({
    prompt_tokens: z.number().int(),
    completion_tokens: z.number().int(),
    total_tokens: z.number().int(),
    prompt_tokens_details: z.object({ cached_tokens: z.number().int() }).optional(),
  })
  .openapi("Usage");

export const errorSchema = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .openapi("Error");

/** A checked body. @throws ERR_BAD_REQUEST that names the field */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { path, message } = innermost(parsed.error.issues[0]!);
  const param = fieldName(path);
  throw new GemmaError("ERR_BAD_REQUEST", `${param || "body"}: ${message}`, param === "" ? {} : { param });
}

interface Issue {
  readonly path: PropertyKey[];
  readonly message: string;
}

/** Of a value that fits none of several forms, what is wrong with it in the form that it comes closest to. */
function innermost(issue: z.core.$ZodIssue): Issue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const first = issue.errors.map((issues) => innermost(issues[0]!));
  const best = first.reduce((a, b) => (b.path.length > a.path.length ? b : a));
  return { path: [...issue.path, ...best.path], message: best.path.length > 0 ? best.message : issue.message };
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, key) => (typeof key === "number" ? `${name}[${key}]` : name === "" ? String(key) : `${name}.${String(key)}`),
    "",
  );
}
