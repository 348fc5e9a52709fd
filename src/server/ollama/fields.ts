import { z } from "@hono/zod-openapi";
import type { GenerateOptions } from "../../engine/options.js";
import { given, optional, samplingFields } from "../openai/fields.js";
import { jsonSchemaObject } from "../openai/messages.js";

/** Ollama's options that mean something here; what else it knows (num_ctx, num_gpu, …) belongs to the start of the server. */
const optionsSchema = z
  .object({
    temperature: optional(z.number().min(0).max(100)),
    top_k: optional(
      z
        .number()
        .int()
        .min(-1)
        .max(2 ** 31 - 1),
    ).openapi({ description: "0 or less: all." }),
    top_p: samplingFields.top_p,
    min_p: samplingFields.min_p,
    seed: optional(z.number().int().min(-1).max(Number.MAX_SAFE_INTEGER)).openapi({ description: "-1: random." }),
    num_predict: optional(
      z
        .number()
        .int()
        .min(-2)
        .max(2 ** 31 - 1),
    ).openapi({ description: "0 or less: what the context leaves." }),
    stop: samplingFields.stop,
    repeat_penalty: samplingFields.repetition_penalty,
    presence_penalty: samplingFields.presence_penalty,
    frequency_penalty: samplingFields.frequency_penalty,
  })
  .openapi("OllamaOptions");

/** What requests for texts share. */
export const answerFields = {
  model: z.string().min(1).max(256),
  stream: optional(z.boolean()).openapi({ description: "Default: true." }),
  options: optional(optionsSchema),
  format: optional(z.union([z.enum(["", "json"]), jsonSchemaObject])).openapi({
    description: "json, or the JSON schema that the answer conforms to.",
  }),
  keep_alive: optional(z.union([z.string().max(64), z.number()])).openapi({
    description: "Of no effect: the model stays loaded.",
  }),
  think: optional(z.literal(false, { error: "must be false: this model does not think" })),
  logprobs: optional(z.boolean()),
  top_logprobs: optional(z.number().int().min(0).max(20)),
};

export const noImages = optional(
  z.array(z.unknown()).max(0, { error: "must be empty: images are not supported, this model reads text" }),
);

export type AnswerInput = z.output<z.ZodObject<typeof answerFields>>;

/** The fields as options of a generation. */
export function generateOptions(
  { options, format, logprobs, top_logprobs: top }: AnswerInput,
  mostTokens: number | undefined,
): GenerateOptions {
  const { seed, num_predict: predict, top_k: topK } = options ?? {};
  const wanted = predict && predict > 0 ? predict : undefined;
  const maxTokens = Math.min(wanted ?? Infinity, mostTokens ?? Infinity);
  return given({
    temperature: options?.temperature,
    topK: typeof topK === "number" ? Math.max(0, topK) : undefined,
    topP: options?.top_p,
    minP: options?.min_p,
    seed: typeof seed === "number" && seed >= 0 ? seed : undefined,
    maxTokens: maxTokens === Infinity ? null : maxTokens,
    stop: options?.stop,
    repetitionPenalty: options?.repeat_penalty,
    presencePenalty: options?.presence_penalty,
    frequencyPenalty: options?.frequency_penalty,
    jsonSchema: format === "json" ? { type: "object" } : format || undefined,
    logprobs: logprobs ? (top ?? 0) : undefined,
  });
}

const ns = z.number().int().openapi({ description: "Nanoseconds." });

/** What the last part of an answer says beside its text. */
export const endFields = {
  done: z.boolean(),
  done_reason: z.enum(["stop", "length", "load"]).optional(),
  total_duration: ns.optional(),
  load_duration: ns.optional().openapi({ description: "The wait for a place, in nanoseconds: the model is loaded." }),
  prompt_eval_count: z.number().int().optional(),
  prompt_eval_duration: ns.optional(),
  eval_count: z.number().int().optional(),
  eval_duration: ns.optional(),
  logprobs: z.array(z.unknown()).optional(),
};

export function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}
