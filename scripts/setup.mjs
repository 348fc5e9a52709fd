// Brings a clone to where `dist/cli/main.js` runs: dependencies, native backend, TypeScript build.
// Each step runs only when something that goes into it has changed. All output goes to stderr.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build, isBuilt } from "./build.mjs";
import { buildNative, NoCompilerError } from "./build-native.mjs";
import { isMain, readIfThere, withLock } from "./lib/files.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** A step failed and has said why. */
export class SetupError extends Error {}

/** Runs what is needed. @throws SetupError with the message to show */
export async function setup() {
  process.chdir(ROOT);
  checkNode();
  await withLock("build/setup.lock", async () => {
    installDependencies();
    await buildNativeOrWarn();
    await compileTypeScript();
  });
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const { node: range } = JSON.parse(readFileSync("package.json", "utf8")).engines;
  const [wantMajor, wantMinor] = range.replace(">=", "").split(".").map(Number);
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new SetupError(
    `gemma.ts needs Node.js ${range}, this is ${process.versions.node}; install a newer one from https://nodejs.org`,
  );
}

function installDependencies() {
  if (isInstalled()) return;
  say("installing dependencies");
  // The lock file's versions and hashes hold, and it is not written. Not `npm ci`: that refuses a lock file without the
  // optional packages of other platforms, which a mirror may not carry.
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  // On Windows npm is a script that only a shell can start.
  step("npm", args, "npm install", { shell: process.platform === "win32" });
}

/** Does node_modules hold exactly what the lock file asks for (other platforms' optional packages aside)? */
export function isInstalled(
  lockText = readIfThere("package-lock.json"),
  hereText = readIfThere("node_modules/.package-lock.json"),
) {
  if (lockText === undefined || hereText === undefined) return false;
  const wanted = JSON.parse(lockText).packages;
  const here = JSON.parse(hereText).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "" || entry.link) return true;
    return here[path] === undefined ? entry.optional === true : here[path].version === entry.version;
  });
}

async function buildNativeOrWarn() {
  try {
    await buildNative();
  } catch (error) {
    if (!(error instanceof NoCompilerError)) throw new SetupError(error.message);
    process.stderr.write(`${error.message}\n`);
  }
}

async function compileTypeScript() {
  if (isBuilt()) return;
  say("compiling TypeScript");
  try {
    await build();
  } catch (error) {
    throw new SetupError(error.message);
  }
}

function step(command, args, what, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", 2, 2], ...options });
  if (error !== undefined) throw new SetupError(`setup: ${what} did not start: ${error.message}`);
  if (status !== 0) throw new SetupError(`setup: ${what} failed (see above)`);
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

/** For the scripts that begin with the set-up: run it, or print why not and end with exit code 1. */
export async function setupOrExit() {
  try {
    await setup();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exit(1);
  }
}

if (isMain(import.meta.url)) await setupOrExit();
