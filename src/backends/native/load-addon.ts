import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ERROR_CODES, type ErrorCode, GemmaError } from "../../base/errors.js";
import type { NativeAddon } from "./addon.js";

const PROBE_TIMEOUT_MS = 20_000;

/** Where the addon is: the environment's choice, or the package's own. undefined: nowhere. */
export function addonPath(): string | undefined {
  const built = new URL("../../../build/native/gemma.node", import.meta.url); // from src/ as from dist/
  const path = process.env.GEMMA_NATIVE_ADDON || fileURLToPath(built); // e.g. the build with address checks
  return existsSync(path) ? path : undefined;
}

/** Says whether the addon loads here: true, or why not. */
export async function probeAddon(): Promise<true | string> {
  const path = addonPath();
  if (path === undefined) return `there is no binary for ${process.platform}-${process.arch}`;
  const reason = await probe(path);
  return reason === undefined ? true : `${path} does not load (${reason})`;
}

/**
 * Loads a binary in a child process first, for one that crashes must not take this process along. Once: a stamp
 * beside it remembers that it went well.
 */
async function probe(path: string): Promise<string | undefined> {
  const { size, mtimeMs } = statSync(path);
  const stamp = `${path}.probed`;
  const state = `${size} ${mtimeMs} ${process.version} ${process.arch}`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === state) return undefined;
  try {
    const script = `require(${JSON.stringify(path)}).isas()`;
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: "1" };
    await promisify(execFile)(process.execPath, ["-e", script], { timeout: PROBE_TIMEOUT_MS, env });
  } catch (error) {
    return reasonOf(error);
  }
  try {
    writeFileSync(stamp, state);
  } catch {
    // A folder that cannot be written to: the next process probes again.
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  const { signal, stderr } = error as { signal?: string | null; stderr?: string };
  if (signal) return `it ended with ${signal}`;
  const line = stderr?.split("\n").find((text) => text.startsWith("Error: ") || text.startsWith("TypeError: "));
  return line ?? String(error).split("\n")[0]!;
}

let loaded: NativeAddon | undefined;

/** The addon, loaded once a thread. @throws ERR_BACKEND_UNAVAILABLE */
export function loadAddon(): NativeAddon {
  if (loaded !== undefined) return loaded;
  const path = addonPath();
  if (path === undefined)
    throw new GemmaError("ERR_BACKEND_UNAVAILABLE", "native: the addon must be built, found none");
  try {
    loaded = withGemmaErrors(createRequire(import.meta.url)(path) as NativeAddon);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `native: the addon must load, got ${message}`, { cause });
  }
  return loaded;
}

/** The same functions, throwing GemmaErrors. */
function withGemmaErrors(addon: NativeAddon): NativeAddon {
  const wrapped = Object.entries(addon).map(([name, call]: [string, (...args: never[]) => unknown]) => [
    name,
    (...args: never[]) => {
      try {
        return call(...args);
      } catch (error) {
        throw asGemmaError(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as NativeAddon;
}

function asGemmaError(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || !Object.hasOwn(ERROR_CODES, String(error.code))) return error;
  return new GemmaError(error.code as ErrorCode, error.message, { cause: error });
}
