import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withLock } from "./lock.js";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gemma-lock-"));
  path = join(folder, "model.lock");
});

afterEach(() => rm(folder, { recursive: true }));

test("one at a time, the others wait and are told once", async () => {
  let inside = 0;
  let most = 0;
  let waits = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await sleep(20);
    inside--;
  };
  await Promise.all(Array.from({ length: 5 }, () => withLock(path, { pollMs: 5, onWait: () => waits++ }, work)));
  expect({ most, waits }).toEqual({ most: 1, waits: 4 });
  expect(await readdir(folder)).toEqual([]);
});

test("the lock is released when the work fails", async () => {
  await expect(withLock(path, {}, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(existsSync(path)).toBe(false);
});

test("the lock of a dead process is taken over at once, by one of many", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]); // has ended by now
  await writeFile(path, JSON.stringify({ pid, host: hostname(), id: "dead" }));
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await sleep(10);
    inside--;
  };
  await Promise.all(Array.from({ length: 8 }, () => withLock(path, { pollMs: 5 }, work)));
  expect(most).toBe(1);
});

test("a lock that nobody touches any more is taken over, one of a living process is not", async () => {
  await writeFile(path, JSON.stringify({ pid: process.pid, host: "another-machine", id: "gone" }));
  const old = new Date(Date.now() - 20_000);
  await utimes(path, old, old);
  expect(await withLock(path, {}, async () => "taken")).toBe("taken");

  await writeFile(path, JSON.stringify({ pid: process.pid, host: hostname(), id: "alive" }));
  const signal = AbortSignal.timeout(60);
  await expect(withLock(path, { signal, pollMs: 10 }, async () => "taken")).rejects.toThrow();
  expect(await readFile(path, "utf8")).toContain("alive");
});

test("the owner keeps its lock fresh, and hears when it lost it", async () => {
  const reason = await withLock(path, { staleMs: 100 }, async (signal) => {
    await sleep(150);
    await expect(
      withLock(path, { staleMs: 100, signal: AbortSignal.timeout(50), pollMs: 10 }, async () => {}),
    ).rejects.toThrow();
    await writeFile(path, "another owner");
    await sleep(100);
    return signal.reason as unknown;
  });
  expect(reason).toMatchObject({ code: "ERR_IO" });
  expect(await readFile(path, "utf8")).toBe("another owner"); // not ours to remove
});

test("a lock is never seen without its owner: a process may be killed at any moment", async () => {
  const seen = new Set<string>();
  let isDone = false;
  const look = () => {
    try {
      seen.add(readFileSync(path, "utf8"));
    } catch {} // not there
    if (!isDone) setImmediate(look); // between any two steps of the lock's
  };
  look();
  try {
    for (let i = 0; i < 50; i++) await withLock(path, {}, async () => {});
  } finally {
    isDone = true;
  }
  expect(seen.size).toBeGreaterThan(0);
  for (const content of seen) expect(JSON.parse(content)).toMatchObject({ host: hostname(), pid: process.pid });
});

test("a process that died while it took a dead one's lock keeps nobody out for long, however slow locks go stale", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]); // has ended by now
  await writeFile(path, JSON.stringify({ pid, host: hostname(), id: "dead" }));
  await writeFile(`${path}.steal`, "");
  const signal = AbortSignal.timeout(10_000);
  expect(await withLock(path, { staleMs: 600_000, signal }, async () => "taken")).toBe("taken");
  expect(await readdir(folder)).toEqual([]);
}, 15_000);
