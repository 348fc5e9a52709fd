import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { fromSystemError, GemmaError } from "../../base/errors.js";
import { show } from "../names.js";

/** Whether `text` is written as a path rather than as a model's name. */
export function looksLikePath(text: string): boolean {
  return /[/\\]|^\.|^~|\.(gguf|safetensors|json)$/i.test(text);
}

/** A file or folder, used where it is. @throws ERR_MISSING_FILE, ERR_INVALID_NAME, ERR_IO */
export async function resolvePath(text: string): Promise<{ path: string; name: string; origin: string }> {
  if (text.includes("\0")) throw new GemmaError("ERR_INVALID_NAME", `path: must hold no NUL, got ${show(text)}`);
  const path = resolve(text);
  try {
    const found = await stat(path);
    if (!found.isFile() && !found.isDirectory()) {
      throw new GemmaError("ERR_IO", `${path}: must be a file or a folder, got a device or pipe`);
    }
  } catch (error) {
    throw fromSystemError(error, path);
  }
  return { path, name: basename(path), origin: path };
}
