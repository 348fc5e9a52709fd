import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export { packageVersion } from "../load/package-version.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The commit of a clone, with "-dirty" where tracked files differ from it; null for an installed package. */
export function codeCommit(): string | null {
  if (!existsSync(`${ROOT}.git`)) return null;
  const git = (...args: string[]) => spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  const { status, stdout } = git("rev-parse", "HEAD");
  if (status !== 0) return null;
  return stdout.trim() + (git("status", "--porcelain", "--untracked-files=no").stdout === "" ? "" : "-dirty");
}
