import { GemmaError } from "../base/errors.js";

const MAX_NAME_LENGTH = 255; // of one segment, on all file systems in use

/**
 * Throws ERR_PATH_ESCAPE unless `name` is one plain file name: no folder, drive, URL, `..`, control character.
 * @param where names its place in messages: `model.safetensors.index.json: weight_map`
 */
export function checkFileName(name: string, where: string): void {
  if (!isSegment(name)) {
    throw new GemmaError("ERR_PATH_ESCAPE", `${where} must name a file in the same folder, got ${show(name)}`);
  }
}

/** Throws ERR_PATH_ESCAPE unless `path` is relative, with plain segments between slashes (one may end it). */
export function checkRelativePath(path: string, where: string): void {
  const segments = path.replace(/\/$/, "").split("/");
  if (!segments.every(isSegment)) {
    throw new GemmaError("ERR_PATH_ESCAPE", `${where} must stay in its folder, got ${show(path)}`);
  }
}

function isSegment(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.length > MAX_NAME_LENGTH) return false;
  return !/[/\\:\p{Cc}]/u.test(name);
}

function show(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}...` : name);
}
