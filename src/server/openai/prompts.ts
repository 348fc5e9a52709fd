import { z } from "@hono/zod-openapi";
import type { Prompt } from "../../runtime/protocol.js";

const MOST_PROMPTS = 2048;

const ids = z
  .array(
    z
      .number()
      .int()
      .min(0)
      .max(2 ** 31 - 1),
  )
  .min(1);

/** A text, several, token ids, or several lists of them. */
export const promptSchema = z.union([
  z.string(),
  z.array(z.string()).min(1).max(MOST_PROMPTS),
  ids,
  z.array(ids).min(1).max(MOST_PROMPTS),
]);

/** One prompt. */
export type PromptInput = string | readonly number[];

export function promptsOf(input: z.output<typeof promptSchema>): readonly PromptInput[] {
  if (typeof input === "string") return [input];
  return typeof input[0] === "number" ? [input as number[]] : (input as readonly PromptInput[]);
}

/** Texts get a beginning-of-sequence token in front; ids are used as they are. */
export function promptOf(prompt: PromptInput): Prompt {
  return typeof prompt === "string" ? prompt : { ids: prompt };
}
