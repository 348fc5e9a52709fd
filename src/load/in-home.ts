import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fromSystemError } from "../base/errors.js";
import { type CachedModel, lockPath, modelFolder, type Shelf } from "./cache.js";
import { withLock } from "./lock.js";
import { makeFolder } from "./make-folder.js";
import { hashFile } from "./partial.js";
import { startMeter } from "./progress.js";
import type { PullOptions } from "./pull-options.js";

/** Runs `work` as the only process that changes this model or data set; errors of the cache folder become readable. */
export async function inHome<T>(
  home: string,
  name: string,
  options: PullOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const path = lockPath(home, name);
  try {
    await makeFolder(dirname(path));
    const onWait = () => {
      options.onNotice?.(`waiting for another download of ${name}`);
      startMeter(options.onProgress, "wait", name, undefined).finish(0);
    };
    return await withLock(path, { signal: options.signal, onWait }, work);
  } catch (error) {
    options.signal?.throwIfAborted();
    const where = (error as NodeJS.ErrnoException).path ?? home;
    throw fromSystemError(
      error,
      `cache folder: ${where}`,
      "free some space, or set GEMMA_HOME to a folder on another disk",
    );
  }
}

/** Whether every file still has the bytes that were pulled. */
export async function isIntact(
  model: CachedModel,
  home: string,
  options: PullOptions,
  shelf: Shelf = "models",
): Promise<boolean> {
  for (const file of model.files) {
    const path = `${modelFolder(home, model.name, shelf)}/${file.name}`;
    const { size } = await stat(path);
    const hash = await hashFile(path, size, { ...options, label: file.name });
    if (hash.digest("hex") !== file.sha256) return false;
  }
  return true;
}

/** Whether nothing may be downloaded. */
export function isOffline({ offline, env = process.env }: PullOptions): boolean {
  return offline ?? (isOn(env.GEMMA_OFFLINE) || isOn(env.HF_HUB_OFFLINE));
}

function isOn(value: string | undefined): boolean {
  return /^(1|true|yes|on)$/i.test(value ?? "");
}
