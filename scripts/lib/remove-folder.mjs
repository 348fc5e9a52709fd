import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const TRIES = 20;
const PAUSE_MS = 100;

/** Removes a folder into which ending processes may still write: one that fills again is removed again. */
export async function removeFolder(path) {
  for (let tries = TRIES; ; tries--) {
    try {
      return rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (tries === 1) throw error;
    }
    await sleep(PAUSE_MS);
  }
}
