import type { Chars, Reading } from "./chars.js";

/** What a code fence stands around. "quote": code of some kind, which calls nothing. */
export type Fence = "none" | "calls" | "quote";

/** Names of code fences in which models write calls. */
const NAMES = ["", "json", "python", "tool_code", "tool_call", "tool_calls"];

/** Reads the marks of a code fence, with its name where it begins. @returns the fence that the text is in behind them */
export function* readFence(chars: Chars, within: Fence): Reading<Fence> {
  for (let count = 0; count < 3; count++) if (!(yield* chars.takeIf("`"))) return within;
  const begin = yield* chars.peek();
  const isEnd = within !== "none" && !/^[a-z]$/.test(begin); // a name: the fence before was never closed
  if (isEnd) return "none";
  let name = "";
  for (;;) {
    const next = name + (yield* chars.peek());
    if (next === name || !NAMES.some((known) => known.startsWith(next))) break;
    chars.take();
    name = next;
  }
  if (!NAMES.includes(name) || /^[\w+-]$/.test(yield* chars.peek())) return "quote";
  yield* chars.skipSpace();
  return "calls";
}
