import { createHash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { GemmaError } from "../../base/errors.js";
import type { ModelInfo } from "../../runtime/protocol.js";
import type { NamedModel } from "../models.js";
import { optional } from "../openai/fields.js";
import { operation } from "../routes.js";
import type { Serving } from "../serving.js";

/** The version of Ollama whose API this follows: clients compare it with what they need. */
const API_VERSION = "0.12.11";

/** A model that nothing unloads; what Ollama says of one with a keep_alive of -1 is as far away. */
const NEVER = "2318-01-01T00:00:00Z";

const detailsSchema = z
  .object({
    parent_model: z.string(),
    format: z.enum(["gguf", "safetensors"]),
    family: z.string(),
    families: z.array(z.string()),
    parameter_size: z.string(),
    quantization_level: z.string(),
  })
  .openapi("OllamaModelDetails");

const modelSchema = z
  .object({
    name: z.string(),
    model: z.string(),
    modified_at: z.string(),
    size: z.number().int(),
    digest: z.string().openapi({ description: "Tells models apart; it is no hash of the weights." }),
    details: detailsSchema,
    capabilities: z.array(z.string()),
  })
  .openapi("OllamaModel");

const CAPABILITIES = ["completion", "tools"];

function family({ config }: ModelInfo): string {
  return config.generation === 1 ? "gemma" : `gemma${config.generation}`;
}

function detailsOf(info: ModelInfo, { adapter }: NamedModel): z.output<typeof detailsSchema> {
  const { format, dtype, parameters } = info.weights;
  return {
    parent_model: adapter === undefined ? (info.base ?? "") : info.name,
    format,
    family: family(info),
    families: [family(info)],
    parameter_size: parameters >= 1e9 ? `${(parameters / 1e9).toFixed(1)}B` : `${(parameters / 1e6).toFixed(2)}M`,
    quantization_level: dtype,
  };
}

/** As Ollama's clients write names: what comes behind a colon is a tag, and `latest` where there is none. */
function tagged(id: string): string {
  return id.includes(":") ? id : `${id}:latest`;
}

function modifiedAt({ models }: Serving): string {
  return new Date(models.created * 1000).toISOString();
}

function describeModel(serving: Serving, model: NamedModel): z.output<typeof modelSchema> {
  const { info } = serving.supervisor.engine;
  const identity = [info.name, info.path, info.weights, model.adapter ?? null];
  return {
    name: tagged(model.id),
    model: tagged(model.id),
    modified_at: modifiedAt(serving),
    size: info.weights.bytes,
    digest: createHash("sha256").update(JSON.stringify(identity)).digest("hex"),
    details: detailsOf(info, model),
    capabilities: CAPABILITIES,
  };
}

export const ollamaTags = operation({
  method: "get",
  path: "/api/tags",
  summary: "The model, its aliases and its adapters",
  tag: "Ollama",
  response: z.object({ models: z.array(modelSchema) }).openapi("OllamaModelList"),
  handle: (serving) => Response.json({ models: serving.models.list().map((model) => describeModel(serving, model)) }),
});

export const ollamaPs = operation({
  method: "get",
  path: "/api/ps",
  summary: "What is loaded: all of it, for as long as the server runs",
  tag: "Ollama",
  response: z
    .object({
      models: z.array(
        modelSchema
          .omit({ modified_at: true, capabilities: true })
          .extend({ expires_at: z.string(), size_vram: z.number().int(), context_length: z.number().int() }),
      ),
    })
    .openapi("OllamaLoadedList"),
  handle(serving) {
    const { contextLength: context_length } = serving.supervisor.engine.info;
    const models = serving.models.list().map((model) => {
      const { modified_at: _, capabilities: __, ...rest } = describeModel(serving, model);
      return { ...rest, expires_at: NEVER, size_vram: 0, context_length };
    });
    return Response.json({ models });
  },
});

export const ollamaVersion = operation({
  method: "get",
  path: "/api/version",
  summary: "The version of Ollama whose API this follows",
  tag: "Ollama",
  response: z.object({ version: z.string() }).openapi("OllamaVersion"),
  handle: () => Response.json({ version: API_VERSION }),
});

export const ollamaShow = operation({
  method: "post",
  path: "/api/show",
  summary: "One model by its name",
  tag: "Ollama",
  body: z
    .object({ model: optional(z.string().max(256)), name: optional(z.string().max(256)) })
    .openapi("OllamaShowRequest"),
  example: (model) => ({ model }),
  response: z
    .object({
      modelfile: z.string(),
      parameters: z.string(),
      template: z.string(),
      details: detailsSchema,
      model_info: z.record(z.string(), z.unknown()),
      capabilities: z.array(z.string()),
      modified_at: z.string(),
    })
    .openapi("OllamaShowResponse"),
  handle(serving, _call, input) {
    const name = input.model || input.name;
    if (!name) throw new GemmaError("ERR_BAD_REQUEST", "model: must name a model, got none", { param: "model" });
    const model = serving.models.resolve(name);
    const { info } = serving.supervisor.engine;
    return Response.json({
      modelfile: `FROM ${tagged(model.id)}\n`,
      parameters: "",
      template: "",
      details: detailsOf(info, model),
      model_info: modelInfo(info),
      capabilities: CAPABILITIES,
      modified_at: modifiedAt(serving),
    });
  },
});

/** By the names of GGUF's metadata, which clients look up. */
function modelInfo(info: ModelInfo): Record<string, unknown> {
  const { config, weights } = info;
  const own = {
    context_length: info.contextLength,
    block_count: config.numHiddenLayers,
    embedding_length: config.hiddenSize,
    feed_forward_length: config.intermediateSize,
    "attention.head_count": config.numAttentionHeads,
    "attention.head_count_kv": config.numKeyValueHeads,
    "attention.key_length": config.headDim,
    vocab_size: config.vocabSize,
  };
  return {
    "general.architecture": family(info),
    "general.basename": info.name,
    "general.parameter_count": weights.parameters,
    ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`${family(info)}.${key}`, value])),
  };
}
