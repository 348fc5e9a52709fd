import { z } from "@hono/zod-openapi";
import type { Prompt } from "../../runtime/protocol.js";

const MOST_PROMPTS = 2048;

const MOST_ID = 2 ** 31 - 1;

const ids = z.array(z.number().int().min(0).max(MOST_ID)).min(1);

/** A text, several, token ids, or several lists of them. */
export const promptSchema = z.preprocess(
  (value, context) => {
    const wrong = firstWrong(value);
    if (wrong === null) return value;
    context.addIssue({ code: "custom", ...wrong });
    return z.NEVER;
  },
  z.union([z.string(), z.array(z.string()).min(1).max(MOST_PROMPTS), ids, z.array(ids).min(1).max(MOST_PROMPTS)]),
);

/** The first thing wrong with a prompt: the union would list all in a million values, in each of its forms. */
function firstWrong(value: unknown): { readonly path: number[]; readonly message: string } | null {
  if (typeof value === "string" || (Array.isArray(value) && value.length === 0)) return null; // the union says what is missing
  if (!Array.isArray(value)) return { path: [], message: "must be a text, token ids, or a list of these" };
  const [first] = value;
  const at = (index: number, message: string) => (index < 0 ? null : { path: [index], message });
  if (typeof first === "number") return at(wrongId(value), WRONG_ID);
  if (value.length > MOST_PROMPTS)
    return { path: [], message: `must have at most ${MOST_PROMPTS} prompts, got ${value.length}` };
  if (!Array.isArray(first)) {
    return at(
      value.findIndex((text) => typeof text !== "string"),
      "must be a text",
    );
  }
  for (const [index, list] of value.entries()) {
    if (!Array.isArray(list) || list.length === 0) return at(index, "must be a list of token ids that is not empty");
    const id = wrongId(list);
    if (id >= 0) return { path: [index, id], message: WRONG_ID };
  }
  return null;
}

/** Token ids; the first that is none is told. */
export const tokenIdsSchema = z.preprocess(
  (value, context) => {
    const wrong = Array.isArray(value) ? wrongId(value) : -1;
    if (wrong < 0) return value;
    context.addIssue({ code: "custom", path: [wrong], message: WRONG_ID });
    return z.NEVER;
  },
  z.array(z.number().int().min(0).max(MOST_ID)),
);

const WRONG_ID = `must be a token id, an integer in 0..${MOST_ID}`;

function wrongId(list: readonly unknown[]): number {
  return list.findIndex((id) => !(Number.isInteger(id) && (id as number) >= 0 && (id as number) <= MOST_ID));
}

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
