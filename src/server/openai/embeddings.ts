import { z } from "@hono/zod-openapi";
import { GemmaError } from "../../base/errors.js";
import type { Call } from "../requests/call.js";
import { inPlace } from "../requests/place.js";
import { operation } from "../routes.js";
import type { Serving } from "../serving.js";
import { checkLimits } from "./check-limits.js";
import { optional } from "./fields.js";
import { type PromptInput, promptOf, promptSchema, promptsOf } from "./prompts.js";

const requestSchema = z
  .object({
    model: optional(z.string().max(256)),
    input: promptSchema,
    encoding_format: optional(z.enum(["float", "base64"])),
    dimensions: optional(z.number().int().min(1).max(65536)),
    user: optional(z.string().max(1024)),
  })
  .openapi("EmbeddingRequest");

const responseSchema = z
  .object({
    object: z.literal("list"),
    data: z.array(
      z.object({
        object: z.literal("embedding"),
        index: z.number().int(),
        embedding: z.union([z.array(z.number()), z.string()]),
      }),
    ),
    model: z.string(),
    usage: z.object({ prompt_tokens: z.number().int(), total_tokens: z.number().int() }),
  })
  .openapi("EmbeddingList");

export const embeddings = operation({
  method: "post",
  path: "/v1/embeddings",
  summary: "Embed texts: the mean of their final hidden states, scaled to length 1",
  tag: "OpenAI",
  span: "embeddings",
  body: requestSchema,
  example: (model) => ({ model, input: ["Paris is the capital of France.", "Rome is the capital of Italy."] }),
  response: responseSchema,
  async handle(serving, call, input) {
    const prompts = promptsOf(input.input);
    checkLimits(serving, {}, prompts.length);
    const { vectors, tokens, model } = await embedTexts(serving, call, input.model, prompts, {
      dimensions: input.dimensions ?? undefined,
    });
    return Response.json({
      object: "list",
      data: vectors.map((vector, index) => {
        const embedding = input.encoding_format === "base64" ? toBase64(vector) : [...vector];
        return { object: "embedding", index, embedding };
      }),
      model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  },
});

export interface EmbedSettings {
  /** Components of each vector. Default: all. */
  readonly dimensions?: number | undefined;
  /** Whether what a text has beyond the context is left out. Default: false, it is an error. */
  readonly truncate?: boolean;
}

export interface Embedded {
  readonly vectors: readonly Float32Array[];
  /** Of all texts. */
  readonly tokens: number;
  /** The model's own name. */
  readonly model: string;
  /** Until the texts had a place. */
  readonly waitedMs: number;
}

/** @throws ERR_RANGE for more dimensions than the model has, ERR_CONTEXT_FULL, and what inPlace throws */
export function embedTexts(
  serving: Serving,
  call: Call,
  modelName: string | null | undefined,
  prompts: readonly PromptInput[],
  { dimensions, truncate = false }: EmbedSettings,
): Promise<Embedded> {
  return inPlace(serving, call, modelName, async ({ engine, model, options }) => {
    const waitedMs = call.elapsedSeconds * 1000;
    const { contextLength, config } = engine.info;
    const width = config.hiddenSize;
    if (dimensions !== undefined && dimensions > width) {
      const what = `dimensions: must be at most ${width} with this model, got ${dimensions}`;
      throw new GemmaError("ERR_RANGE", what, { param: "dimensions" });
    }
    const whole = await Promise.all(
      prompts.map(async (prompt) => (typeof prompt === "string" ? await engine.encodePrompt(prompt, options) : prompt)),
    );
    const prepared = truncate ? whole.map((ids) => ids.slice(0, contextLength)) : whole;
    const tokens = prepared.reduce((sum, { length }) => sum + length, 0);
    call.notes.model = model.id;
    call.notes.promptTokens = tokens;
    serving.countTokens(call, tokens); // also of a request that is given up
    const vectors = await Promise.all(prepared.map((ids) => engine.embed(promptOf(ids), options)));
    return {
      vectors: vectors.map((vector) => shortened(vector, dimensions ?? width)),
      tokens,
      model: model.id,
      waitedMs,
    };
  });
}

/** The first components, scaled to length 1 again. */
export function shortened(vector: Float32Array, dimensions: number): Float32Array {
  if (dimensions === vector.length) return vector;
  const cut = vector.subarray(0, dimensions);
  const length = Math.hypot(...cut) || 1;
  return cut.map((value) => value / length);
}

/** Little-endian f32. */
function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, i * 4);
  return bytes.toString("base64");
}
