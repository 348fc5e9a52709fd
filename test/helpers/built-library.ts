import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const INDEX = fileURLToPath(new URL("../../dist/index.js", import.meta.url));
const NATIVE = fileURLToPath(new URL("../../build/native/gemma.node", import.meta.url));

/** Tests of the engine in its worker run the build: workers cannot load TypeScript. Without one they skip, and say so. */
export const isLibraryBuilt = existsSync(INDEX);
if (!isLibraryBuilt) console.warn("skipped: tests of the built library, because dist/ is missing; run `npm run setup`");

/** Backends that the built library can be tried on. */
export const builtBackends: readonly ("native" | "reference")[] = existsSync(NATIVE)
  ? ["native", "reference"]
  : ["reference"];
if (builtBackends.length === 1) console.warn("skipped: native backend, because build/native/gemma.node is missing");

/** The built library, as an application imports it. */
export function builtLibrary(): Promise<typeof import("../../src/index.js")> {
  return import(pathToFileURL(INDEX).href);
}

export interface ScriptResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an ES module in a Node process of its own; `Gemma` and `GemmaError` are imported from the build. */
export function runScript(body: string, nodeFlags: readonly string[] = []): Promise<ScriptResult> {
  const script = `import { Gemma, GemmaError } from ${JSON.stringify(pathToFileURL(INDEX).href)};\n${body}`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeFlags, "--input-type=module", "-e", script]);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
