import type { Gemma } from "../runtime/gemma.js";
import type { Generation } from "../runtime/generation.js";
import type { Output } from "./output.js";

/**
 * Streams a generation; with `trim` without the space that opens an answer. Ends the line, also behind an interrupt.
 * What it calls comes last, a line each.
 */
export async function printStream(generation: Generation, output: Output, { trim }: { trim: boolean }): Promise<void> {
  let isPrinted = false;
  try {
    for await (const piece of generation) {
      const text: string = trim && !isPrinted ? piece.trimStart() : piece;
      output.write(text);
      isPrinted ||= text !== "";
    }
  } finally {
    if (isPrinted) output.line();
  }
  const result = await generation.result;
  for (const { name, arguments: given } of result.toolCalls ?? []) output.write(`${name} ${JSON.stringify(given)}\n`);
  output.data(result);
}

/** A model that was never taught turns seldom ends one: its answers are cut here unless --max-tokens says otherwise. */
const UNTAUGHT_ANSWER_TOKENS = 256;

/** The options of an answer, from those that were given. */
export function answerOptions<T extends { readonly maxTokens?: number; readonly adapter?: string | undefined }>(
  gemma: Gemma,
  given: T,
): T {
  return gemma.chatStyle(given.adapter) === "qa" ? { maxTokens: UNTAUGHT_ANSWER_TOKENS, ...given } : given;
}

/** One line on a model that was never taught turns. */
export function noteChatStyle(gemma: Gemma, output: Output, adapter?: string): void {
  if (gemma.chatStyle(adapter) !== "qa") return;
  output.note(`${gemma.info.name} is pre-trained, not tuned for dialogue: turns become "Question: … Answer: …"`);
}
