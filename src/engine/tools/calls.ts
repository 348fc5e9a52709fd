import type { Chars, Reading } from "./chars.js";
import { readBetween, readItems, readObject, readString, readValue } from "./values.js";

/** A call as the model wrote it: nobody has given it an id yet. */
export interface WrittenCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** A namespace that Gemini's tools have, and Gemma sometimes writes. */
const NAMESPACE = "default_api.";
const PRINT = "print";
const NAME_CHAR = /^[\w.:/-]$/;

/** The names that may be called. */
export class ToolNames {
  constructor(private readonly names: readonly string[]) {}

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** Whether some name begins like this. */
  readonly fits = (begin: string): boolean => this.names.some((name) => name.startsWith(begin));

  /** Whether a call in Python's form may begin like this. */
  readonly fitsPython = (begin: string): boolean => {
    if (this.fits(begin) || PRINT.startsWith(begin) || NAMESPACE.startsWith(begin)) return true;
    return begin.startsWith(NAMESPACE) && this.fits(begin.slice(NAMESPACE.length));
  };

  /** The tool that a name in Python's form means. */
  inPython(name: string): string | undefined {
    if (this.has(name)) return name;
    const bare = name.startsWith(NAMESPACE) ? name.slice(NAMESPACE.length) : name;
    return this.has(bare) ? bare : undefined;
  }
}

/** Calls in the form that the prompt asks for: an object, or an array of them. undefined: something else. */
export function* readJsonCalls(chars: Chars, names: ToolNames): Reading<readonly WrittenCall[] | undefined> {
  const c = yield* chars.peek();
  if (c === "[") return yield* readList(chars, () => readObjectCall(chars, names));
  return listOf(c === "{" ? yield* readObjectCall(chars, names) : undefined);
}

/** Calls in any form that models write, also as Python. undefined: something else. */
export function* readAnyCalls(chars: Chars, names: ToolNames): Reading<readonly WrittenCall[] | undefined> {
  const c = yield* chars.peek();
  if (c === "[") return yield* readList(chars, () => readAnyCall(chars, names));
  const call = yield* readAnyCall(chars, names);
  if (call && c !== "{" && !(yield* isAlone(chars))) return undefined;
  return listOf(call);
}

function* readList(
  chars: Chars,
  one: () => Reading<WrittenCall | undefined>,
): Reading<readonly WrittenCall[] | undefined> {
  const calls: WrittenCall[] = [];
  const isWhole = yield* readItems(chars, "]", function* () {
    const call = yield* one();
    if (call) calls.push(call);
    return call !== undefined;
  });
  return isWhole && calls.length > 0 ? calls : undefined;
}

function* readAnyCall(chars: Chars, names: ToolNames): Reading<WrittenCall | undefined> {
  return (yield* chars.peek()) === "{" ? yield* readObjectCall(chars, names) : yield* readPythonCall(chars, names);
}

/** `{"name": "f", "parameters": {"x": 1}}`, also with `arguments`; no other keys. */
function* readObjectCall(chars: Chars, names: ToolNames): Reading<WrittenCall | undefined> {
  let name: string | undefined;
  let given: Readonly<Record<string, unknown>> | undefined;
  const isWhole = yield* readItems(chars, "}", function* () {
    const missing = [...(name === undefined ? ["name"] : []), ...(given ? [] : ["parameters", "arguments"])];
    const key = yield* readString(chars, (begin) => missing.some((known) => known.startsWith(begin)));
    if (key === undefined || !missing.includes(key) || !(yield* readBetween(chars, ":"))) return false;
    if (key === "name") {
      name = yield* readString(chars, names.fits);
      return name !== undefined && names.has(name);
    }
    given = (yield* chars.peek()) === "{" ? yield* readObject(chars) : undefined;
    return given !== undefined;
  });
  return isWhole && name !== undefined && given ? { name, arguments: given } : undefined;
}

/** `f(x=1, y="a")`, also `print(f(x=1))` and `default_api.f(x=1)`. Arguments without names are not understood. */
function* readPythonCall(chars: Chars, names: ToolNames, isPrinted = false): Reading<WrittenCall | undefined> {
  let word = "";
  for (;;) {
    const c = yield* chars.peek();
    if (!NAME_CHAR.test(c)) break;
    if (!names.fitsPython(word + c)) return undefined;
    chars.take();
    word += c;
  }
  if ((yield* chars.peek()) !== "(") return undefined;
  const name = names.inPython(word);
  if (name === undefined && word === PRINT && !isPrinted) {
    chars.take();
    yield* chars.skipSpace();
    const call = yield* readPythonCall(chars, names, true);
    if (call === undefined) return undefined;
    yield* chars.skipSpace();
    return (yield* chars.takeIf(")")) ? call : undefined;
  }
  if (name === undefined) return undefined;
  const given: [string, unknown][] = [];
  const isWhole = yield* readItems(chars, ")", function* () {
    const key = yield* readKeyword(chars);
    if (key === "" || !(yield* readBetween(chars, "="))) return false;
    const value = yield* readValue(chars);
    given.push([key, value]);
    return value !== undefined;
  });
  return isWhole ? { name, arguments: Object.fromEntries(given) } : undefined;
}

function* readKeyword(chars: Chars): Reading<string> {
  let word = "";
  for (;;) {
    const c = yield* chars.peek();
    if (!/^\w$/.test(c)) return word;
    chars.take();
    word += c;
  }
}

/** Whether nothing else stands on the line: `f()` in the middle of a sentence is talk. */
function* isAlone(chars: Chars): Reading<boolean> {
  for (;;) {
    const c = yield* chars.peek();
    if (c !== " " && c !== "\t" && c !== "\r") return c === "" || c === "\n" || c === "`";
    chars.take();
  }
}

function listOf(call: WrittenCall | undefined): readonly WrittenCall[] | undefined {
  return call && [call];
}
