import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Tests of the command line run the build. Without one they skip, and say so. */
export const isBuilt = existsSync(MAIN);
if (!isBuilt) console.warn("skipped: tests of the built command line, because dist/ is missing; run `npm run setup`");

// What the tester's own environment may hold, and a test must not depend on.
const NEUTRAL = { NO_COLOR: "", GEMMA_DEBUG: "", GEMMA_OFFLINE: "", HF_HUB_OFFLINE: "" };

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What standard input holds; empty by default. */
  readonly input?: string;
  /** Standard input stays open behind `input`. */
  readonly holdInput?: boolean;
  /** Called once the process runs, to send signals or close pipes. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs `gemma …args` without a terminal and waits for its end. */
export function runCli(
  args: readonly string[],
  { env = {}, input = "", holdInput = false, onStart }: CliOptions = {},
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...NEUTRAL, ...env } });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    if (holdInput) child.stdin.write(input);
    else child.stdin.end(input);
    onStart?.(child);
  });
}
