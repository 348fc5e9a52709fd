import { realpath } from "node:fs/promises";
import { sep } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";

/**
 * Where `path` really leads, links followed, if that is inside `root`.
 * @throws ERR_PATH_ESCAPE, ERR_MISSING_FILE
 */
export async function realpathInside(root: string, path: string): Promise<string> {
  try {
    const realRoot = await realpath(root);
    const real = await realpath(path);
    if (real.startsWith(realRoot + sep)) return real;
  } catch (error) {
    throw fromSystemError(error, path);
  }
  throw new GemmaError("ERR_PATH_ESCAPE", `${path}: must lie in ${root}, got a link that leads out of it`);
}
