import { GemmaError } from "../base/errors.js";
import { parseJson } from "./json.js";
import { decodeUtf8 } from "./utf8.js";

const MAX_LINE_BYTES = 16 << 20;
const LINE_FEED = 0x0a;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The object of one line. @throws GemmaError that begins with `where` */
export function parseObject(bytes: Uint8Array, where: string): Record<string, unknown> {
  if (bytes.length > MAX_LINE_BYTES) {
    throw new GemmaError(
      "ERR_LIMIT_EXCEEDED",
      `${where}: must have at most ${MAX_LINE_BYTES} bytes, got ${bytes.length}`,
    );
  }
  // A byte order mark is no part of the first line's JSON.
  const text = decodeUtf8(bytes, where).replace(/^\ufeff/, "");
  const value = parseJson(text, where);
  if (!(value instanceof Map)) {
    throw new GemmaError("ERR_INVALID_JSON", `${where}: must be a JSON object, got ${text.slice(0, 40)}`);
  }
  return toPlain(value, where) as Record<string, unknown>;
}

/** Maps become objects without a prototype: a key such as `__proto__` is an ordinary key there, too. */
export function toPlain(value: unknown, where: string): unknown {
  if (typeof value === "string" && LONE_SURROGATE.test(value)) {
    throw new GemmaError(
      "ERR_INVALID_UTF8",
      `${where}: strings must be whole characters, got half of a surrogate pair`,
    );
  }
  if (Array.isArray(value)) return value.map((one) => toPlain(one, where));
  if (!(value instanceof Map)) return value;
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, one] of value) object[key as string] = toPlain(one, where);
  return object;
}

/** Without their line feeds. */
export function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  while (start < bytes.length) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed < 0 ? bytes.length : feed;
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

/** Such a line is none. */
export function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
