import { parseJson } from "../../format/json.js";
import { toPlain } from "../../format/json-lines.js";
import { checkText, checkTurns, show, wrong } from "./check-turns.js";
import type { Example, ExampleKind, Part, PreferenceExample, Turn } from "./example.js";
import type { DataRow } from "./source.js";

export type Column = "messages" | "prompt" | "completion" | "text" | "chosen" | "rejected";

/** The columns of data sets that call them otherwise: `{ prompt: "question", completion: "answer" }`. */
export type ColumnNames = Readonly<Partial<Record<Column, string>>>;

/** A column that no other kind has. */
const MARKS: Readonly<Record<ExampleKind, readonly Column[]>> = {
  chat: ["messages"],
  completion: ["completion"],
  text: ["text"],
  preference: ["chosen", "rejected"],
};
const KINDS = Object.keys(MARKS) as readonly ExampleKind[];

/**
 * The example of a row. Columns that it does not need are not looked at; null is as good as absent.
 *
 * @param kind which one where the row has the columns of several. Default: the only one that it has
 * @throws GemmaError with what is wrong, without the row's place
 */
export function checkExample(row: DataRow, at: string, names: ColumnNames = {}, kind?: ExampleKind): Example {
  if (typeof row !== "object" || row === null) throw wrong(`must be an object, got ${show(row)}`);
  const get = (column: Column): unknown => {
    const name = names[column] ?? column;
    return Object.hasOwn(row, name) ? (row[name] ?? undefined) : undefined;
  };
  const found = kind ?? kindOf(row, get);
  const called = (column: Column) => names[column] ?? column;
  switch (found) {
    case "chat":
      return { kind: found, at, turns: conversation(get("messages"), called("messages")) };
    case "text":
      return { kind: found, at, text: checkText(get("text"), called("text")) };
    case "completion": {
      const prompt = checkPrompt(get("prompt"), called("prompt"));
      return { kind: found, at, prompt, completion: checkAnswer(get("completion"), called("completion")) };
    }
    case "preference": {
      const sides = [get("chosen"), get("rejected")] as const;
      return { kind: found, at, ...preference(get("prompt"), sides, called) };
    }
    default:
      return found satisfies never;
  }
}

function kindOf(row: DataRow, get: (column: Column) => unknown): ExampleKind {
  const found = KINDS.filter((kind) => MARKS[kind].some((column) => get(column) !== undefined));
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    throw wrong(`must be of one kind, got columns of ${found.join(" and ")}: name the kind to read`);
  const keys = show(Object.keys(row).join(", "));
  throw wrong(
    `must have messages; prompt and completion; text; or prompt, chosen and rejected; got the columns ${keys}`,
  );
}

/** In CSV it is the JSON text of one. */
function conversation(value: unknown, where: string): readonly Turn[] {
  const messages = typeof value === "string" ? toPlain(parseJson(value, where), where) : value;
  return learnable(checkTurns(messages, where, "user", "assistant"), where);
}

function learnable(turns: readonly Turn[], where: string): readonly Turn[] {
  if (turns.some(({ role, isLearned }) => role === "assistant" && isLearned !== false)) return turns;
  throw wrong(`${where} must have one of the assistant to learn from, got weight 0 on all`);
}

function checkPrompt(value: unknown, where: string): Part {
  return Array.isArray(value) ? checkTurns(value, where, "user", "user") : checkText(value, where);
}

function checkAnswer(value: unknown, where: string): Part {
  return Array.isArray(value)
    ? learnable(checkTurns(value, where, "assistant", "assistant"), where)
    : checkText(value, where);
}

type Sides = Pick<PreferenceExample, "prompt" | "chosen" | "rejected">;

/** Answers are texts or turns behind the prompt; or two whole conversations, which begin with the same prompt. */
function preference(
  prompt: unknown,
  [chosen, rejected]: readonly [unknown, unknown],
  called: (column: Column) => string,
): Sides {
  if (isConversation(chosen) && isConversation(rejected)) {
    const sides = [conversation(chosen, called("chosen")), conversation(rejected, called("rejected"))] as const;
    return splitPrompt(...sides, prompt, called("prompt"));
  }
  return {
    prompt: checkPrompt(prompt, called("prompt")),
    chosen: checkAnswer(chosen, called("chosen")),
    rejected: checkAnswer(rejected, called("rejected")),
  };
}

function isConversation(value: unknown): boolean {
  const role = Array.isArray(value) ? (value[0] as Turn | null | undefined)?.role : undefined;
  return role === "user" || role === "system";
}

function splitPrompt(chosen: readonly Turn[], rejected: readonly Turn[], stated: unknown, where: string): Sides {
  let shared = 0;
  while (shared < Math.min(chosen.length, rejected.length) && isSame(chosen[shared]!, rejected[shared]!)) shared++;
  // Equal answers are no prompt, and a prompt ends with the user's turn.
  while (shared > 0 && (shared === chosen.length || chosen[shared - 1]!.role !== "user")) shared--;
  const prompt = chosen.slice(0, shared);
  if (prompt.length === 0) throw wrong("chosen and rejected must begin with the same message of the user");
  if (!agrees(stated, prompt, where)) {
    throw wrong(`${where} must be what chosen and rejected begin with, got ${show(stated)}`);
  }
  return { prompt, chosen: chosen.slice(shared), rejected: rejected.slice(shared) };
}

/** Where the prompt is stated, too: a message of it, or its turns. */
function agrees(stated: unknown, prompt: readonly Turn[], where: string): boolean {
  if (stated === undefined) return true;
  if (typeof stated === "string") return prompt.some(({ content }) => content.trim() === stated.trim());
  const turns = checkTurns(stated, where, "user", "user");
  return turns.length === prompt.length && turns.every((turn, i) => isSame(turn, prompt[i]!));
}

function isSame(a: Turn, b: Turn): boolean {
  return a.role === b.role && a.content === b.content;
}
