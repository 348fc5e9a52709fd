import { GemmaError } from "../base/errors.js";
import type { PromptItem } from "../eval/tuning/answer-measure.js";
import { checkText, checkTurns } from "../tune/data/check-turns.js";
import { fileSource } from "../tune/data/file-source.js";
import type { DataRow } from "../tune/data/source.js";

/**
 * Instructions of a file: rows with `messages` (an answer at their end is left away) or `prompt`, a text or messages; `lang` says
 * the question's language where it is told.
 *
 * @throws ERR_BAD_DATA with the first row that is none
 */
export async function readPrompts(path: string): Promise<readonly PromptItem[]> {
  const items: PromptItem[] = [];
  for await (const record of (await fileSource(path)).records()) {
    try {
      if ("problem" in record) throw new GemmaError("ERR_BAD_DATA", record.problem);
      items.push(promptOf(record.row, record.at));
    } catch (error) {
      if (!(error instanceof GemmaError)) throw error;
      throw new GemmaError("ERR_BAD_DATA", `${record.at}: ${error.message}`, {
        hint: "--prompts is a file of rows with prompt or messages",
        cause: error,
      });
    }
  }
  if (items.length > 0) return items;
  throw new GemmaError("ERR_BAD_DATA", `${path}: must hold instructions, got none`);
}

function promptOf({ messages, prompt, lang }: DataRow, at: string): PromptItem {
  const id = at.split(/[\\/]/).at(-1)!; // where the file lies is no part of what was measured
  const language = typeof lang === "string" ? { lang } : {};
  if (Array.isArray(messages)) {
    const isAnswered = (messages.at(-1) as DataRow | undefined)?.role !== "user";
    const turns = checkTurns(messages, "messages", "user", isAnswered ? "assistant" : "user");
    const [asked, answer] = isAnswered ? [turns.slice(0, -1), turns.at(-1)] : [turns, undefined];
    const reference = answer === undefined ? {} : { reference: answer.content };
    return { id, messages: asked.map(({ role, content }) => ({ role, content })), ...reference, ...language };
  }
  if (Array.isArray(prompt)) return { id, messages: checkTurns(prompt, "prompt", "user", "user"), ...language };
  return { id, messages: [{ role: "user", content: checkText(prompt, "prompt") }], ...language };
}
