import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

/** Every file under `folder` (sorted, `/`-separated paths beginning with `folder`) whose path `keep` accepts. */
export function walk(folder, keep = () => true) {
  if (!existsSync(folder)) return [];
  const found = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name === ".git") continue;
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...walk(path, keep));
    else if (entry.isFile() && keep(path)) found.push(path);
  }
  return found.sort();
}

/** SHA-256 (hex) over strings and over the names and contents of files. */
export function hashOf(strings, files = []) {
  const hash = createHash("sha256");
  for (const text of strings) hash.update(text).update("\0");
  for (const file of files) hash.update(file).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

export function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

const NAMELESS_MS = 10_000;

/** Runs `step` while no other process holds `path`. The lock of a process that has ended is taken over. */
export async function withLock(path, step) {
  mkdirSync(dirname(path), { recursive: true });
  for (let said = false; !tryLock(path); said = true) {
    if (!said) process.stderr.write(`waiting for another set-up (${path})\n`);
    await sleep(100);
  }
  try {
    return await step();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(path) {
  if (createExclusive(path, String(process.pid))) return true;
  if (isAbandoned(path)) removeAbandoned(path);
  return false;
}

function createExclusive(path, content) {
  try {
    writeFileSync(path, content, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
}

/** Has the owner ended? A lock without an owner is being written, unless it is old. */
function isAbandoned(path) {
  try {
    const owner = Number(readFileSync(path, "utf8"));
    return owner > 0 ? !isAlive(owner) : Date.now() - statSync(path).mtimeMs > NAMELESS_MS;
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return false; // gone by now
  }
}

/**
 * Two processes may find the same lock abandoned. The second must not remove the new lock of the first, so only the
 * holder of a second lock file removes, after looking again.
 */
function removeAbandoned(path) {
  const guard = `${path}.steal`;
  if (!createExclusive(guard, "")) {
    if (isAbandoned(guard)) rmSync(guard, { force: true }); // its owner died in these few lines
    return;
  }
  try {
    if (isAbandoned(path)) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Is `url` (a module's import.meta.url) the script that node was asked to run? */
export function isMain(url) {
  const script = process.argv[1];
  return script !== undefined && url === pathToFileURL(realpathSync(script)).href;
}
