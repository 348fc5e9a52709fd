import { z } from "@hono/zod-openapi";
import type { Call } from "../requests/call.js";
import { operation } from "../routes.js";
import type { Serving } from "../serving.js";
import { optional, parseBody } from "./fields.js";
import { tokenIdsSchema } from "./prompts.js";

const tokenizeSchema = z
  .object({
    model: optional(z.string().max(256)),
    /** vLLM's name; `content` is llama.cpp's. */
    prompt: optional(z.string()),
    content: optional(z.string()),
    add_special_tokens: optional(z.boolean()).openapi({
      description: "A beginning-of-sequence token in front. Default: true.",
    }),
  })
  .openapi("TokenizeRequest");

export const tokenize = operation({
  method: "post",
  path: "/tokenize",
  summary: "Token ids of a text; control tokens written in it stay text",
  tag: "Tokens",
  body: tokenizeSchema,
  example: (model) => ({ model, prompt: "Paris is the capital of France." }),
  response: z
    .object({ count: z.number().int(), max_model_len: z.number().int(), tokens: z.array(z.number().int()) })
    .openapi("Tokens"),
  async handle(serving, call, input) {
    serving.models.resolve(input.model);
    const text = parseBody(z.string(), input.prompt ?? input.content);
    const { engine, signal, leave } = await takeTurn(serving, call);
    const encode = () =>
      input.add_special_tokens === false ? engine.encode(text, { signal }) : engine.encodePrompt(text, { signal });
    const tokens = await encode().finally(leave);
    return Response.json({ count: tokens.length, max_model_len: engine.info.contextLength, tokens });
  },
});

export const detokenize = operation({
  method: "post",
  path: "/detokenize",
  summary: "The text of token ids",
  tag: "Tokens",
  body: z
    .object({
      model: optional(z.string().max(256)),
      tokens: tokenIdsSchema,
    })
    .openapi("DetokenizeRequest"),
  example: (model) => ({ model, tokens: [2, 100, 101] }),
  response: z.object({ prompt: z.string(), content: z.string() }).openapi("Text"),
  async handle(serving, call, input) {
    serving.models.resolve(input.model);
    const { engine, leave } = await takeTurn(serving, call);
    const text = await engine.decode(input.tokens).finally(leave);
    return Response.json({ prompt: text, content: text });
  },
});

/** Waits for a turn at the tokenizer; `leave` ends it. @throws ERR_QUEUE_FULL, ERR_OVERLOADED, ERR_NOT_READY */
async function takeTurn({ tokenizing, supervisor }: Serving, { caller, signal }: Call) {
  const leave = await tokenizing.enter({ tenant: caller.tenant, priority: caller.priority, signal });
  try {
    return { engine: supervisor.engine, signal, leave };
  } catch (error) {
    leave();
    throw error;
  }
}
