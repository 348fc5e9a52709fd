import { GemmaError } from "../../base/errors.js";

/** What the browser lets this site store, in bytes. Browsers round, and promise nothing. */
export interface StorageState {
  readonly usedBytes: number;
  readonly quotaBytes: number;
  readonly freeBytes: number;
  /** Whether the browser asks the user before it evicts what the site has stored. */
  readonly isPersistent: boolean;
}

/** null where the browser does not tell. */
export async function storageState(): Promise<StorageState | null> {
  try {
    const [{ usage, quota }, isPersistent] = await Promise.all([
      navigator.storage.estimate(),
      navigator.storage.persisted(),
    ]);
    if (usage === undefined || quota === undefined) return null;
    return { usedBytes: usage, quotaBytes: quota, freeBytes: Math.max(0, quota - usage), isPersistent };
  } catch {
    return null;
  }
}

/** Asks the browser not to evict what this site stores; some ask the user. @returns whether it has agreed */
export async function persistStorage(): Promise<boolean> {
  return (await navigator.storage?.persist?.().catch(() => false)) ?? false;
}

/** @throws ERR_DISK_FULL where the browser says that `bytes` more do not fit */
export async function expectRoom(what: string, bytes: number): Promise<void> {
  const state = await storageState();
  if (state !== null && state.freeBytes < bytes) throw noRoom(what, bytes, state);
}

/** Browsers may name a larger quota than the site's, so that it tells nothing of the device. */
export function noRoom(what: string, bytes: number, state: StorageState | null): GemmaError {
  const isTold = state !== null && state.freeBytes < bytes;
  const got = isTold ? `${mb(state.freeBytes)} of ${mb(state.quotaBytes)} left` : "less";
  return new GemmaError("ERR_DISK_FULL", `${what}: must have ${mb(bytes)} of this site's storage, got ${got}`, {
    hint: "remove stored models (listStoredModels, removeStoredModel), free space on the device, or choose a smaller model",
  });
}

export const mb = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
