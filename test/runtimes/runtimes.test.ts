import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, test } from "vitest";
import { builtBackends, isLibraryBuilt } from "../helpers/built-library.js";
import { TINY } from "../helpers/tiny-models.js";

// The built library under other runtimes than the one that runs the tests. Their npm packages are kept in
// build/runtimes; what cannot be fetched in time is skipped. GEMMA_RUNTIMES_SECONDS: how long a fetch may take.
const INSTALL_MS = 1000 * Number(process.env.GEMMA_RUNTIMES_SECONDS ?? 30);
const RUN_MS = 60_000;

const exec = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const { platform, arch } = process;
const denoArch = platform === "linux" ? `${platform}-${arch}-glibc` : `${platform}-${arch}`;
const bunArch = `${platform}-${arch === "arm64" ? "aarch64" : arch}`;

interface Runtime {
  readonly name: string;
  /** The npm package that carries the binary, and where it is in there. */
  readonly spec: string;
  readonly binary: string;
  readonly flags: readonly string[];
}

const RUNTIMES: readonly Runtime[] = [
  { name: "Node 22", spec: `node-${platform}-${arch}@22.23.0`, binary: "bin/node", flags: [] },
  { name: "Node 26", spec: `node-${platform}-${arch}@26.10.0`, binary: "bin/node", flags: [] },
  { name: "Bun", spec: `@oven/bun-${bunArch}@1.4.5`, binary: "bin/bun", flags: [] },
  { name: "Deno", spec: `@deno/${denoArch}@2.9.6`, binary: "deno", flags: ["run", "--allow-all"] },
];

/** Path of the runtime's binary, or the reason why it cannot be had. */
async function install({ spec, binary }: Runtime): Promise<{ path: string } | { reason: string }> {
  const name = spec.slice(0, spec.lastIndexOf("@"));
  const folder = join(root, "build/runtimes", spec.replaceAll("/", "+"));
  const path = join(folder, "node_modules", name, binary);
  if (existsSync(path)) return { path };
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", partial];
    await exec("npm", ["install", ...flags, spec], { timeout: INSTALL_MS });
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    const { killed, stderr = "" } = error as { killed?: boolean; stderr?: string };
    return { reason: killed ? `npm took more than ${INSTALL_MS / 1000} s` : (stderr.split("\n")[0] ?? "npm failed") };
  }
  return existsSync(path) ? { path } : { reason: `${spec} carries no ${binary}` };
}

const SMOKE = fileURLToPath(new URL("smoke.mjs", import.meta.url));

async function smoke(command: string, flags: readonly string[], backend: string): Promise<unknown> {
  const { stdout } = await exec(command, [...flags, SMOKE, TINY.gemma3, backend], { timeout: RUN_MS });
  return JSON.parse(stdout);
}

describe.skipIf(!isLibraryBuilt).concurrent("the built library", () => {
  const timeout = INSTALL_MS + 4 * RUN_MS;
  test.for(RUNTIMES)("under $name", { timeout }, async (runtime, { expect, skip }) => {
    const installed = await install(runtime);
    if ("reason" in installed) {
      console.warn(`skipped: ${runtime.name}: ${installed.reason}`);
      return skip(installed.reason);
    }
    for (const backend of builtBackends) {
      const wanted = await smoke(process.execPath, [], backend);
      expect(wanted).toMatchObject({ same: true, chat: true, backend });
      expect(await smoke(installed.path, runtime.flags, backend)).toEqual(wanted);
    }
  });
});
