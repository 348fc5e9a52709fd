import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { isBuilt } from "../helpers/built-cli.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

test.skipIf(!isBuilt || process.platform === "win32")(
  "./gemma runs from any folder and through a link, with nothing but the answer on standard output",
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "gemma launcher "));
    try {
      symlinkSync(join(ROOT, "gemma"), join(folder, "gemma"));
      const { stdout } = await promisify(execFile)(join(folder, "gemma"), ["--version"], { cwd: folder });
      expect(stdout).toBe(`${JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version}\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test.skipIf(process.platform === "win32")(
  "./gemma without a compiler sets up once, and again when there is one",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "gemma-launcher-"));
    try {
      for (const name of ["src", "scripts", "dist/cli", "node_modules"])
        mkdirSync(join(folder, name), { recursive: true });
      for (const name of ["package", "package-lock", "tsconfig", "tsconfig.build"]) {
        writeFileSync(join(folder, `${name}.json`), "{}");
      }
      copyFileSync(join(ROOT, "gemma"), join(folder, "gemma"));
      writeFileSync(join(folder, "scripts/setup.mjs"), 'console.error("set-up")');
      writeFileSync(join(folder, "dist/cli/main.js"), "");
      const run = async (CXX: string) =>
        (await promisify(execFile)(join(folder, "gemma"), { env: { ...process.env, CXX } })).stderr;
      expect(await run("no-such-compiler")).toBe("set-up\n");
      expect(await run("no-such-compiler")).toBe("");
      expect(await run(process.execPath)).toBe("set-up\n"); // it answers --version
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
