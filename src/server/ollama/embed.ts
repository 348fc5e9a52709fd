import { z } from "@hono/zod-openapi";
import { checkLimits } from "../openai/check-limits.js";
import { embedTexts } from "../openai/embeddings.js";
import { optional } from "../openai/fields.js";
import { operation } from "../routes.js";
import { answerFields, nanoseconds } from "./fields.js";

const MOST_TEXTS = 2048;

const { model, keep_alive } = answerFields;

export const ollamaEmbed = operation({
  method: "post",
  path: "/api/embed",
  summary: "Embed texts: the mean of their final hidden states, scaled to length 1",
  tag: "Ollama",
  span: "embeddings",
  body: z
    .object({
      model,
      keep_alive,
      input: optional(z.union([z.string(), z.array(z.string()).max(MOST_TEXTS)])),
      truncate: optional(z.boolean()).openapi({
        description: "Whether a text longer than the context is cut. Default: true.",
      }),
      dimensions: optional(z.number().int().min(0).max(65536)).openapi({ description: "0: all." }),
    })
    .openapi("OllamaEmbedRequest"),
  example: (model) => ({ model, input: ["Paris is the capital of France."] }),
  response: z
    .object({
      model: z.string(),
      embeddings: z.array(z.array(z.number())),
      total_duration: z.number().int(),
      load_duration: z.number().int(),
      prompt_eval_count: z.number().int(),
    })
    .openapi("OllamaEmbedResponse"),
  async handle(serving, call, input) {
    const texts = [input.input || []].flat();
    checkLimits(serving, {}, texts.length);
    const { vectors, tokens, waitedMs } = await embedTexts(serving, call, input.model, texts, {
      dimensions: input.dimensions || undefined,
      truncate: input.truncate ?? true,
    });
    return Response.json({
      model: input.model,
      embeddings: vectors.map((vector) => [...vector]),
      total_duration: nanoseconds(call.elapsedSeconds * 1000),
      load_duration: nanoseconds(waitedMs),
      prompt_eval_count: tokens,
    });
  },
});

/** The older form, of one text. */
export const ollamaEmbeddings = operation({
  method: "post",
  path: "/api/embeddings",
  summary: "Embed one text",
  tag: "Ollama",
  span: "embeddings",
  body: z.object({ model, keep_alive, prompt: optional(z.string()) }).openapi("OllamaEmbeddingsRequest"),
  example: (model) => ({ model, prompt: "Paris is the capital of France." }),
  response: z.object({ embedding: z.array(z.number()) }).openapi("OllamaEmbeddingsResponse"),
  async handle(serving, call, input) {
    const { vectors } = await embedTexts(serving, call, input.model, input.prompt ? [input.prompt] : [], {
      truncate: true,
    });
    return Response.json({ embedding: [...(vectors[0] ?? [])] });
  },
});
