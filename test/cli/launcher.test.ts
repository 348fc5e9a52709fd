import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
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
