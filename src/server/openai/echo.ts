import type { Place } from "../requests/place.js";
import type { PlacedToken } from "./logprobs.js";
import { type PromptInput, promptOf } from "./prompts.js";

/** A prompt that stands in front of its continuation. */
export interface EchoedPrompt {
  readonly text: string;
  /** Its tokens, a beginning-of-sequence token included; none where no log-probabilities are wanted. */
  readonly tokens: readonly PlacedToken[];
}

/** @param top  alternatives with each token's log-probability; null: none of these */
export async function scorePrompt(
  { engine, options }: Place,
  prompt: PromptInput,
  top: number | null,
): Promise<EchoedPrompt> {
  const text = typeof prompt === "string" ? prompt : await engine.decode(prompt);
  if (top === null) return { text, tokens: [] };
  const { ids, logprobs } = await engine.score(promptOf(prompt), { ...options, top });
  // The beginning-of-sequence token that stands in front of a text is not in the text.
  const isHidden = (i: number) => i === 0 && typeof prompt === "string";
  return { text, tokens: ids.map((id, i) => ({ id, logprob: logprobs[i] ?? null, isHidden: isHidden(i) })) };
}
