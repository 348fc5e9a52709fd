import { GemmaError } from "../../base/errors.js";
import type { Turn } from "./example.js";

const MAX_TURNS = 10_000;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * A text with something in it.
 * @param where names it in messages: `messages[0].content`
 * @throws ERR_INVALID_VALUE, without the row's place
 */
export function checkText(value: unknown, where: string): string {
  if (typeof value !== "string") throw wrong(`${where} must be a string, got ${show(value)}`);
  if (isBlank(value)) throw wrong(`${where} must not be blank, got ${show(value)}`);
  if (LONE_SURROGATE.test(value)) throw wrong(`${where} must be whole characters, got half of a surrogate pair`);
  return value;
}

/**
 * The turns of a list of messages, `{ role, content }` each. A blank system message is none. `weight: 0` on an
 * assistant's message, as OpenAI's files have it, keeps it from being learned. Other keys are not looked at, but calls of
 * tools are refused.
 *
 * @param first role of the first message, behind a system message
 * @param last  role of the last one
 * @throws ERR_INVALID_VALUE, without the row's place
 */
export function checkTurns(
  value: unknown,
  where: string,
  first: "user" | "assistant",
  last: "user" | "assistant",
): readonly Turn[] {
  if (!Array.isArray(value)) throw wrong(`${where} must be an array of messages, got ${show(value)}`);
  if (value.length === 0 || value.length > MAX_TURNS) {
    throw wrong(`${where} must have 1 to ${MAX_TURNS} messages, got ${value.length}`);
  }
  const turns: Turn[] = [];
  let expected = first;
  for (const [i, message] of value.entries()) {
    const turn = checkMessage(message, `${where}[${i}]`, i === 0 && first === "user");
    if (turn === undefined) continue;
    if (turn.role !== "system") {
      if (turn.role !== expected) {
        const rule = `user and assistant must alternate, ${first} first`;
        throw wrong(`${where}[${i}].role must be ${expected} (${rule}), got ${turn.role}`);
      }
      expected = expected === "user" ? "assistant" : "user";
    }
    turns.push(turn);
  }
  const end = turns.at(-1);
  if (end?.role !== last) throw wrong(`${where} must end with a message of the ${last}, got ${end?.role ?? "none"}`);
  return turns;
}

/** undefined: a blank system message. */
function checkMessage(message: unknown, where: string, maySystem: boolean): Turn | undefined {
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    throw wrong(`${where} must be an object with role and content, got ${show(message)}`);
  }
  const { role, content, weight, tool_calls: calls } = message as Readonly<Record<string, unknown>>;
  if (role !== "user" && role !== "assistant" && role !== "model" && role !== "system") {
    throw wrong(`${where}.role must be system, user or assistant, got ${show(role)}`);
  }
  if (role === "system") {
    if (!maySystem) throw wrong(`${where}.role must not be system: a system message comes first`);
    if (typeof content === "string" && isBlank(content)) return undefined;
    return { role, content: checkText(content, `${where}.content`) };
  }
  if (Array.isArray(calls) && calls.length > 0)
    throw wrong(`${where}.tool_calls must be absent: calls are not learned`);
  const text = checkText(content, `${where}.content`);
  if (role === "user") return { role, content: text };
  if (weight === undefined || weight === null || weight === 1) return { role: "assistant", content: text };
  if (weight !== 0) throw wrong(`${where}.weight must be 0 or 1, got ${show(weight)}`);
  return { role: "assistant", content: text, isLearned: false };
}

/** White space of JavaScript or Python and nothing else. */
function isBlank(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: U+001C to U+001F are spaces in Python
  return /^[\s\x1c-\x1f\x85]*$/.test(text);
}

export function wrong(problem: string): GemmaError {
  return new GemmaError("ERR_INVALID_VALUE", problem);
}

/** A short form of a value for messages. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
