import { GemmaError } from "../base/errors.js";
import { decodeUtf8 } from "./utf8.js";

/** An object is a Map: a key such as `__proto__` is an ordinary key. */
export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonLimits {
  /** Longest text: bytes of a Uint8Array, UTF-16 units of a string. */
  readonly maxSize?: number;
  /** Deepest nesting of arrays and objects. */
  readonly maxDepth?: number;
  /** Most values; keys do not count. */
  readonly maxValues?: number;
}

const MAX_SIZE = 128 * 1024 * 1024; // the largest file met is a tokenizer.json of 33 MB
const MAX_DEPTH = 64;
const MAX_VALUES = 4_000_000; // that file has 1.8 million; an empty Map of 2 bytes costs some 200 in memory

/**
 * Parses one JSON text (RFC 8259), strictly: no comments, no trailing commas, nothing after the value, no byte
 * order mark, no key twice, no number that overflows to infinity. Objects become Maps.
 *
 * @param where begins every message: `config.json`
 * @throws ERR_INVALID_UTF8, ERR_INVALID_JSON, ERR_DUPLICATE_NAME, ERR_LIMIT_EXCEEDED
 */
export function parseJson(text: string | Uint8Array, where: string, limits: JsonLimits = {}): JsonValue {
  const maxSize = limits.maxSize ?? MAX_SIZE;
  if (text.length > maxSize) {
    throw new GemmaError("ERR_LIMIT_EXCEEDED", `${where}: JSON must have at most ${maxSize} bytes, got ${text.length}`);
  }
  const source = typeof text === "string" ? text : decodeUtf8(text, where);
  return new Parser(source, where, limits.maxDepth ?? MAX_DEPTH, limits.maxValues ?? MAX_VALUES).document();
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** Recursive descent; the depth limit bounds the recursion. */
class Parser {
  private at = 0;
  private depth = 0;
  private values = 0;

  constructor(
    private readonly text: string,
    private readonly where: string,
    private readonly maxDepth: number,
    private readonly maxValues: number,
  ) {}

  document(): JsonValue {
    const value = this.value();
    this.skipSpace();
    if (this.at < this.text.length) this.fail("the end of the text");
    return value;
  }

  private value(): JsonValue {
    if (++this.values > this.maxValues) {
      throw new GemmaError(
        "ERR_LIMIT_EXCEEDED",
        `${this.where}: JSON must have at most ${this.maxValues} values, got more at ${this.at}`,
      );
    }
    this.skipSpace();
    switch (this.text[this.at]) {
      case "{":
        return this.object();
      case "[":
        return this.array();
      case '"':
        return this.string();
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      case "n":
        return this.word("null", null);
      default:
        return this.number();
    }
  }

  private object(): JsonObject {
    const object = new Map<string, JsonValue>();
    if (this.open("}")) return object;
    do {
      this.skipSpace();
      if (this.text.charCodeAt(this.at) !== QUOTE) this.fail("a key in double quotes");
      const keyAt = this.at;
      const key = this.string();
      this.skipSpace();
      if (this.text[this.at] !== ":") this.fail("a colon");
      this.at++;
      const sizeBefore = object.size;
      object.set(key, this.value());
      if (object.size === sizeBefore) {
        const what = `key ${JSON.stringify(key.slice(0, 80))}`;
        throw new GemmaError("ERR_DUPLICATE_NAME", `${this.where}: ${what} must occur once, got it again at ${keyAt}`);
      }
    } while (this.more("}"));
    return object;
  }

  private array(): readonly JsonValue[] {
    const array: JsonValue[] = [];
    if (this.open("]")) return array;
    do array.push(this.value());
    while (this.more("]"));
    return array;
  }

  /** Steps over the opening bracket, and over the closing one if nothing is between them (true). */
  private open(close: string): boolean {
    if (++this.depth > this.maxDepth) {
      throw new GemmaError(
        "ERR_LIMIT_EXCEEDED",
        `${this.where}: JSON must be nested at most ${this.maxDepth} deep, got more at ${this.at}`,
      );
    }
    this.at++;
    this.skipSpace();
    if (this.text[this.at] !== close) return false;
    this.at++;
    this.depth--;
    return true;
  }

  /** Steps over a comma (true) or the closing bracket (false). */
  private more(close: string): boolean {
    this.skipSpace();
    const c = this.text[this.at];
    if (c !== "," && c !== close) this.fail(`a comma or ${close}`);
    this.at++;
    if (c === ",") return true;
    this.depth--;
    return false;
  }

  private string(): string {
    const { text } = this;
    const start = this.at + 1;
    let at = start; // a local: strings are nearly all of a large file
    for (;;) {
      const c = text.charCodeAt(at); // NaN at the end
      if (c === QUOTE) {
        this.at = at + 1;
        return text.slice(start, at);
      }
      if (c === BACKSLASH || !(c >= 0x20)) {
        this.at = at;
        return this.escapedString(start);
      }
      at++;
    }
  }

  /** The rest of a string in which a backslash or the end was met. */
  private escapedString(start: number): string {
    const { text } = this;
    let value = "";
    let runStart = start;
    for (;;) {
      const c = text.charCodeAt(this.at);
      if (c === QUOTE) return value + text.slice(runStart, this.at++);
      if (c === BACKSLASH) {
        value += text.slice(runStart, this.at) + this.escape();
        runStart = this.at;
      } else {
        if (!(c >= 0x20)) this.fail("a closing quote (control characters must be escaped)");
        this.at++;
      }
    }
  }

  private escape(): string {
    const letter = this.text[this.at + 1] ?? "";
    if (letter === "u") {
      const digits = this.text.slice(this.at + 2, this.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("four hexadecimal digits after \\u");
      this.at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const value = ESCAPES.get(letter);
    if (value === undefined) this.fail("a known escape");
    this.at += 2;
    return value;
  }

  private number(): number {
    NUMBER.lastIndex = this.at;
    const digits = NUMBER.exec(this.text)?.[0];
    if (digits === undefined) this.fail("a value");
    const value = Number(digits);
    if (!Number.isFinite(value)) this.fail("a number that fits a double");
    this.at += digits.length;
    return value;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail("a value");
    this.at += word.length;
    return value;
  }

  private skipSpace(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.at++;
    }
  }

  private fail(expected: string): never {
    const got = this.at < this.text.length ? JSON.stringify(this.text.slice(this.at, this.at + 16)) : "the end";
    throw new GemmaError("ERR_INVALID_JSON", `${this.where}: JSON needs ${expected} at ${this.at}, got ${got}`);
  }
}
