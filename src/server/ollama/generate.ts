import { z } from "@hono/zod-openapi";
import { GemmaError } from "../../base/errors.js";
import type { ChatMessage } from "../../engine/chat.js";
import { optional } from "../openai/fields.js";
import { operation } from "../routes.js";
import { answer, loadAnswer, type WritePart } from "./answers.js";
import { answerFields, endFields, generateOptions, noImages } from "./fields.js";

const none = (why: string) => optional(z.literal("", { error: `must be empty: ${why}` }));

const requestSchema = z
  .object({
    ...answerFields,
    prompt: optional(z.string()),
    system: optional(z.string()),
    raw: optional(z.boolean()).openapi({ description: "The prompt as it is, without the turns of a conversation." }),
    suffix: none("Gemma has no form for text in front of a suffix"),
    template: none("prompts are written by the model's own template"),
    images: noImages,
    context: optional(
      z.array(z.unknown()).max(0, { error: "must be empty: send the conversation to /api/chat instead" }),
    ),
  })
  .openapi("OllamaGenerateRequest");

export const ollamaGenerate = operation({
  method: "post",
  path: "/api/generate",
  summary: "Answer a prompt, or continue it where the model was only pre-trained",
  tag: "Ollama",
  span: "text_completion",
  body: requestSchema,
  example: (model) => ({ model, prompt: "The capital of France is", options: { num_predict: 16 }, stream: false }),
  response: z
    .object({ model: z.string(), created_at: z.string(), response: z.string(), ...endFields })
    .openapi("OllamaGenerateResponse"),
  streams: "application/x-ndjson",
  async handle(serving, call, input) {
    const { prompt, system } = input;
    if (input.raw && system) {
      const what = "system: must be empty with raw, where the prompt is all that the model reads";
      throw new GemmaError("ERR_BAD_REQUEST", what, { param: "system" });
    }
    if (!prompt) return loadAnswer(serving, input.model, writeText(""));
    return answer(serving, call, input, writeText, ({ engine, options }) => {
      const all = { ...generateOptions(input, serving.options.limits.maxTokens), ...options };
      // Pre-trained models were never taught to answer.
      if (input.raw || engine.chatStyle(all.adapter) === "qa") {
        return engine.generate(system ? `${system}\n\n${prompt}` : prompt, all);
      }
      const before: readonly ChatMessage[] = system ? [{ role: "system", content: system }] : [];
      return engine.answer([...before, { role: "user", content: prompt }], all);
    });
  },
});

const writeText: WritePart = (response) => ({ response });
