import type { Message } from "./subject.js";

/** Ends of an answer in a plain prompt. */
const STOPS = ["\nQuestion:", "\n\n"];

export interface Shot {
  readonly messages: readonly Message[];
  readonly answer: string;
}

/**
 * A plain prompt of worked examples, for a model that was never taught turns:
 *
 *     Question: …\nAnswer: …\n\nQuestion: …\nAnswer:
 *
 * Instructions of a system message stand once at the front where all have the same one, else before each question.
 */
export function fewShotPrompt(shots: readonly Shot[], messages: readonly Message[]): string {
  const systems = [...shots.map((shot) => systemOf(shot.messages)), systemOf(messages)];
  const shared = systems.every((system) => system === systems[0]) ? systems[0]! : "";
  const block = (turns: readonly Message[], answer: string | null) => {
    const own = systemOf(turns);
    const lines = turns.flatMap(({ role, content }) => {
      if (role === "system") return own === shared ? [] : [`${content.trim()}\n`];
      return role === "user" ? [`Question: ${content.trim()}\nAnswer:`] : [` ${content.trim()}\n\n`];
    });
    return lines.join("") + (answer === null ? "" : ` ${answer.trim()}\n\n`);
  };
  const head = shared === "" ? "" : `${shared}\n\n`;
  return head + shots.map((shot) => block(shot.messages, shot.answer)).join("") + block(messages, null);
}

/** Where answers end: at the end of the line, too, if no reference has more than one. */
export function fewShotStops(references: readonly string[]): readonly string[] {
  return references.some((reference) => reference.trim().includes("\n")) ? STOPS : ["\n"];
}

function systemOf(messages: readonly Message[]): string {
  return messages.find(({ role }) => role === "system")?.content.trim() ?? "";
}
