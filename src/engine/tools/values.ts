import type { Chars, Reading } from "./chars.js";

/** Values nested deeper are none: what reads them is as deep as they are. */
const MAX_DEPTH = 64;

const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["True", true],
  ["False", false],
  ["None", null],
]);

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/**
 * A value in JSON or in the literals of Python, which models mix: quotes of both kinds, True and None, a comma behind the
 * last item, line ends in strings, backslashes that escape nothing. undefined: not a value.
 */
export function* readValue(chars: Chars, depth = 0): Reading<unknown> {
  if (depth > MAX_DEPTH) return undefined;
  const c = yield* chars.peek();
  if (c === "{") return yield* readObject(chars, depth);
  if (c === '"' || c === "'") return yield* readString(chars);
  if (c === "-" || (c >= "0" && c <= "9")) return yield* readNumber(chars);
  if (c !== "[") return yield* readWord(chars);
  const list: unknown[] = [];
  const isWhole = yield* readItems(chars, "]", function* () {
    const value = yield* readValue(chars, depth + 1);
    list.push(value);
    return value !== undefined;
  });
  return isWhole ? list : undefined;
}

/** An object, whose first brace comes next. */
export function* readObject(chars: Chars, depth = 0): Reading<Record<string, unknown> | undefined> {
  const fields: [string, unknown][] = [];
  const isWhole = yield* readItems(chars, "}", function* () {
    const key = yield* readString(chars);
    if (key === undefined || !(yield* readBetween(chars, ":"))) return false;
    const value = yield* readValue(chars, depth + 1);
    fields.push([key, value]);
    return value !== undefined;
  });
  return isWhole ? Object.fromEntries(fields) : undefined; // fromEntries: a key "__proto__" is one like all others
}

/** What stands between an opening, which comes next, and `close`: items with commas between them. */
export function* readItems(chars: Chars, close: string, item: () => Reading<boolean>): Reading<boolean> {
  chars.take();
  yield* chars.skipSpace();
  while (!(yield* chars.takeIf(close))) {
    if (!(yield* item())) return false;
    yield* chars.skipSpace();
    if (yield* chars.takeIf(",")) yield* chars.skipSpace();
    else if ((yield* chars.peek()) !== close) return false;
  }
  return true;
}

/** A sign with white space around it. */
export function* readBetween(chars: Chars, sign: string): Reading<boolean> {
  yield* chars.skipSpace();
  if (!(yield* chars.takeIf(sign))) return false;
  yield* chars.skipSpace();
  return true;
}

/** @param fits whether a string may begin like this; one that may not is none, as soon as that is clear */
export function* readString(chars: Chars, fits?: (begin: string) => boolean): Reading<string | undefined> {
  const quote = yield* chars.peek();
  if (quote !== '"' && quote !== "'") return undefined;
  chars.take();
  let value = "";
  while (!(yield* chars.takeIf(quote))) {
    const c = yield* chars.peek();
    if (c === "") return undefined;
    chars.take();
    const meant = c === "\\" ? yield* readEscape(chars) : c;
    if (meant === undefined) return undefined;
    value += meant;
    if (fits && !fits(value)) return undefined;
  }
  return value;
}

function* readEscape(chars: Chars): Reading<string | undefined> {
  const c = yield* chars.peek();
  if (c === "") return undefined;
  chars.take();
  if (c === '"' || c === "'" || c === "\\" || c === "/") return c;
  if (c !== "u") return ESCAPES.get(c) ?? `\\${c}`;
  let code = "";
  while (code.length < 4) {
    const digit = yield* chars.peek();
    if (!/^[0-9a-fA-F]$/.test(digit)) return undefined;
    chars.take();
    code += digit;
  }
  return String.fromCharCode(Number.parseInt(code, 16));
}

function* readNumber(chars: Chars): Reading<number | undefined> {
  let written = "";
  for (;;) {
    const c = yield* chars.peek();
    if (!/^[-+.0-9eE]$/.test(c)) break;
    chars.take();
    written += c;
  }
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(written)) return undefined;
  const value = Number(written);
  return Number.isFinite(value) ? value : undefined;
}

function* readWord(chars: Chars): Reading<unknown> {
  let word = "";
  while (!WORDS.has(word)) {
    const next = word + (yield* chars.peek());
    if (next === word || ![...WORDS.keys()].some((known) => known.startsWith(next))) return undefined;
    chars.take();
    word = next;
  }
  return WORDS.get(word);
}
