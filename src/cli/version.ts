import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../load/package-root.js";

export { packageVersion } from "../load/package-version.js";

/** The commit of a clone, with "-dirty" where tracked files differ from it; null for an installed package. */
export function codeCommit(): string | null {
  const root = packageRoot();
  if (!existsSync(join(root, ".git"))) return null;
  const git = (...args: string[]) => spawnSync("git", args, { cwd: root, encoding: "utf8" });
  const { status, stdout } = git("rev-parse", "HEAD");
  if (status !== 0) return null;
  return stdout.trim() + (git("status", "--porcelain", "--untracked-files=no").stdout === "" ? "" : "-dirty");
}
