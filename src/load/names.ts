import { GemmaError } from "../base/errors.js";

// Names that become paths. They are checked by what is allowed, not by what is forbidden: no separator, no drive
// letter, no percent sign or Unicode look-alike of a dot passes, whatever the operating system makes of it.

const MODEL_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** Windows opens a device for these, with any ending. */
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/** Whether `name` may be a model's folder in the cache. */
export function isModelName(name: string): boolean {
  return MODEL_NAME.test(name) && isPortable(name);
}

/** Whether `name` may be a file inside a model's folder. */
export function isFileName(name: string): boolean {
  return FILE_NAME.test(name) && isPortable(name);
}

/** Windows drops dots at the end, so `a.` and `a` would be one file. */
function isPortable(name: string): boolean {
  return !DEVICE.test(name) && !name.endsWith(".");
}

/** @throws ERR_INVALID_NAME */
export function expectModelName(name: string): string {
  if (isModelName(name)) return name;
  throw new GemmaError(
    "ERR_INVALID_NAME",
    `model name: must be 1 to 63 of a-z 0-9 . _ - and start with a letter or digit, got ${show(name)}`,
  );
}

/** @throws ERR_PATH_ESCAPE: names of files come from servers and archives */
export function expectFileName(name: string, where: string): string {
  if (isFileName(name)) return name;
  throw new GemmaError("ERR_PATH_ESCAPE", `${where}: must be a plain file name, got ${show(name)}`);
}

/** The 64 hex digits of `sha256:…`, `sha256-…` or of the digits alone. @throws ERR_INVALID_VALUE */
export function parseDigest(text: string, where: string): string {
  const hex = text.replace(/^sha256[:-]/, "");
  if (SHA256.test(hex)) return hex;
  throw new GemmaError(
    "ERR_INVALID_VALUE",
    `${where}: must be sha256: and 64 lower-case hex digits, got ${show(text)}`,
  );
}

/** A short, printable form of text that came from outside. */
export function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
