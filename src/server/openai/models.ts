import { z } from "@hono/zod-openapi";
import type { NamedModel } from "../models.js";
import { operation } from "../routes.js";
import type { Serving } from "../serving.js";

const modelSchema = z
  .object({
    id: z.string(),
    object: z.literal("model"),
    created: z.number().int(),
    owned_by: z.string(),
    root: z.string(),
    parent: z.string().nullable(),
    max_model_len: z.number().int(),
  })
  .openapi("Model");

function describeModel({ models, supervisor }: Serving, { id, adapter }: NamedModel): z.output<typeof modelSchema> {
  const { info } = supervisor.engine;
  return {
    id,
    object: "model",
    created: models.created,
    owned_by: "gemma-ts",
    root: adapter ?? models.base,
    parent: adapter === undefined ? (info.base ?? null) : models.base,
    max_model_len: info.contextLength,
  };
}

export const listModels = operation({
  method: "get",
  path: "/v1/models",
  summary: "The model, its aliases and its adapters",
  tag: "OpenAI",
  response: z.object({ object: z.literal("list"), data: z.array(modelSchema) }).openapi("ModelList"),
  handle: (serving) =>
    Response.json({ object: "list", data: serving.models.list().map((model) => describeModel(serving, model)) }),
});

export const getModel = operation({
  method: "get",
  path: "/v1/models/:model",
  summary: "One model by its name",
  tag: "OpenAI",
  response: modelSchema,
  handle(serving, _call, _input, { model = "" }) {
    return Response.json(describeModel(serving, serving.models.resolve(model)));
  },
});
