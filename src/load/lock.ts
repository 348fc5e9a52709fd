import { randomUUID } from "node:crypto";
import { type FileHandle, link, open, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { GemmaError } from "../base/errors.js";

/** What link() says where the file system has none. */
const WITHOUT_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/** The second lock file is held for a few milliseconds, however long its lock's owner may be silent. */
const GUARD_STALE_MS = 2_000;

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock. */
  readonly onWait?: () => void;
  /** A lock whose owner has not touched it for so long is taken over. */
  readonly staleMs?: number;
  readonly pollMs?: number;
}

/**
 * Runs `work` while holding the lock file `path`, as the only one among all processes of this machine (and of
 * others that share the folder). The owner touches the file; an owner that died loses it.
 *
 * @param work gets a signal that also fires when the lock was lost, for instance after the machine slept
 */
export async function withLock<T>(
  path: string,
  options: LockOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const staleMs = options.staleMs ?? 15_000;
  const owner = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() });
  await acquire(path, owner, staleMs, options);
  const lost = new AbortController();
  const heartbeat = setInterval(() => {
    touch(path, owner).catch(() => lost.abort(lockLost(path)));
  }, staleMs / 5);
  heartbeat.unref();
  try {
    const signals = options.signal === undefined ? [lost.signal] : [lost.signal, options.signal];
    return await work(AbortSignal.any(signals));
  } finally {
    clearInterval(heartbeat);
    if ((await readOwner(path)) === owner) await rm(path, { force: true });
  }
}

async function acquire(path: string, owner: string, staleMs: number, options: LockOptions): Promise<void> {
  const { signal, onWait, pollMs = 200 } = options;
  let waiting = false;
  for (;;) {
    signal?.throwIfAborted();
    if (await createExclusive(path, owner)) return;
    if (await isStale(path, staleMs)) {
      await removeStale(path, staleMs);
      continue;
    }
    if (!waiting) onWait?.();
    waiting = true;
    await sleep(pollMs, undefined, signal === undefined ? {} : { signal });
  }
}

/** Makes the file with its content at once: a process that is killed here leaves no lock without an owner. */
async function createExclusive(path: string, content: string): Promise<boolean> {
  if ((await ageMs(path)) !== undefined) return false;
  const whole = `${path}.${randomUUID()}`;
  try {
    await writeFile(whole, content);
    await link(whole, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (WITHOUT_LINKS.includes(code!)) return await createInPlace(path, content);
    throw error;
  } finally {
    await rm(whole, { force: true }).catch(() => {}); // a name more of the same small file
  }
}

/** On a file system without links, e.g. of a memory stick. */
async function createInPlace(path: string, content: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
  await file
    .writeFile(content)
    .finally(() => file.close())
    .catch(async (error: unknown) => {
      await rm(path, { force: true }); // a full disk: nobody need wait for a lock without an owner
      throw error;
    });
  return true;
}

/**
 * Two processes may find the same lock stale. The second must not remove the new lock of the first, so only the
 * holder of a second lock file removes, after looking again.
 */
async function removeStale(path: string, staleMs: number): Promise<void> {
  const guard = `${path}.steal`;
  if (!(await createExclusive(guard, ""))) {
    const age = await ageMs(guard);
    if (age !== undefined && age > GUARD_STALE_MS) await rm(guard, { force: true }); // its owner died in these few lines
    await sleep(10);
    return;
  }
  try {
    if (await isStale(path, staleMs)) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function isStale(path: string, staleMs: number): Promise<boolean> {
  const age = await ageMs(path);
  if (age === undefined) return false; // gone by now
  if (age > staleMs) return true;
  try {
    const { pid, host } = JSON.parse((await readOwner(path)) ?? "") as { pid: unknown; host: unknown };
    return host === hostname() && typeof pid === "number" && !isAlive(pid);
  } catch {
    return false; // being written: the age decides
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

async function ageMs(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : Date.now() - found.mtimeMs;
}

async function readOwner(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

async function touch(path: string, owner: string): Promise<void> {
  if ((await readOwner(path)) !== owner) throw lockLost(path);
  const now = new Date();
  await utimes(path, now, now);
}

function lockLost(path: string): GemmaError {
  return new GemmaError("ERR_IO", `${path}: must stay this process's lock, got another owner`);
}
