import { unwatchFile, watchFile } from "node:fs";
import { GemmaError } from "../../base/errors.js";
import type { ServerLog } from "../options/options.js";
import { KeyRing } from "./keys.js";
import { defaultKeysFile, readKeys } from "./keys-file.js";

/** The keys of a file, which follow its changes. */
export interface OpenKeys {
  readonly ring: KeyRing;
  /** Ends following. */
  close(): void;
}

const POLL_MS = 1000;

/**
 * The keys of a file that must be there, or of the default file if that is there. A file that becomes unreadable or goes changes
 * nothing but the log: who had access has it still, and nobody gets it.
 *
 * @throws ERR_MISSING_FILE; GemmaError for what is no keys file
 */
export async function openKeys(
  file: string | undefined,
  log: ServerLog,
  pollMs = POLL_MS,
): Promise<OpenKeys | undefined> {
  const path = file ?? defaultKeysFile();
  const keys = await readKeys(path);
  if (keys === undefined) {
    if (file === undefined) return undefined;
    throw new GemmaError("ERR_MISSING_FILE", `${path}: must be a file of keys, got none`, {
      hint: `gemma serve keys add NAME --keys-file ${path} makes one`,
    });
  }
  if (keys.length === 0) log.warn({ path }, "the keys file has no keys: nobody may call until one is added");
  const ring = new KeyRing(keys);
  const follow = () => void reload(path, ring, log);
  watchFile(path, { interval: pollMs, persistent: false }, follow);
  return { ring, close: () => unwatchFile(path, follow) };
}

async function reload(path: string, ring: KeyRing, log: ServerLog): Promise<void> {
  try {
    const keys = await readKeys(path);
    if (keys === undefined) throw new GemmaError("ERR_MISSING_FILE", `${path}: must stay, got no such file`);
    ring.replace(keys);
    log.info({ path, ids: keys.map(({ id }) => id) }, "keys read again");
  } catch (err) {
    log.error({ path, err }, "the keys file has changed and cannot be read: the keys stay as they were");
  }
}
