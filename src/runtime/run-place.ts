import { existsSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { withLock } from "../load/lock.js";
import { makeFolder } from "../load/make-folder.js";
import { TUNE_FILES } from "../tune/run/run-folder.js";

/** A step of the largest micro-batch may take minutes, in which the lock is not touched. */
const LOCK_STALE_MS = 600_000;

/**
 * Runs `work` as the only process in a run's folder, which is made if needed. Where nothing came of it, a folder that was
 * made here is taken away again.
 * @throws ERR_USAGE for a second process, ERR_DISK_FULL, ERR_IO
 */
export async function inRunFolder<T>(
  out: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const isNew = !existsSync(out);
  const lock = join(out, TUNE_FILES.lock);
  const onWait = () => {
    throw new GemmaError("ERR_USAGE", `${out}: must have one process that tunes in it, got a second one`, {
      hint: `wait for its end; if none is there, remove ${lock}`,
    });
  };
  try {
    await makeFolder(out);
    return await withLock(lock, { signal, onWait, staleMs: LOCK_STALE_MS }, work);
  } catch (error) {
    if (isNew) removeIfEmpty(out);
    throw fromSystemError(error, (error as NodeJS.ErrnoException).path ?? out);
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // there is something in it, or it was never made
  }
}
