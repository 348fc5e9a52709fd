import { z } from "@hono/zod-openapi";
import { operation } from "../routes.js";
import { optional, parseBody } from "./fields.js";

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
  async handle({ models, supervisor }, _call, input) {
    models.resolve(input.model);
    const text = parseBody(z.string(), input.prompt ?? input.content);
    const { engine } = supervisor;
    const tokens = input.add_special_tokens === false ? await engine.encode(text) : await engine.encodePrompt(text);
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
      tokens: z.array(
        z
          .number()
          .int()
          .min(0)
          .max(2 ** 31 - 1),
      ),
    })
    .openapi("DetokenizeRequest"),
  example: (model) => ({ model, tokens: [2, 100, 101] }),
  response: z.object({ prompt: z.string(), content: z.string() }).openapi("Text"),
  async handle({ models, supervisor }, _call, input) {
    models.resolve(input.model);
    const text = await supervisor.engine.decode(input.tokens);
    return Response.json({ prompt: text, content: text });
  },
});
