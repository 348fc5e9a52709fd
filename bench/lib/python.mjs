// Python environments for what we are compared with: made once in the cache folder, from a file of requirements.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Path of a Python that has `requirements`: the one that the environment variable `variable` names, or of an environment of
 * its own that is made on the first call.
 */
export function pythonWith(requirements, name, variable) {
  if (process.env[variable]) return process.env[variable];
  const wanted = readFileSync(requirements);
  const cache = process.env.GEMMA_HOME ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gemma-ts");
  const folder = join(cache, `${name}-${createHash("sha256").update(wanted).digest("hex").slice(0, 12)}`);
  const python = join(folder, "bin", "python");
  if (existsSync(join(folder, "complete"))) return python;
  console.error(`installing ${name} and what it needs into ${folder}, once`);
  mkdirSync(cache, { recursive: true });
  execFileSync("python3", ["-m", "venv", "--clear", folder], { stdio: "inherit" });
  execFileSync(python, ["-m", "pip", "install", "--quiet", "-r", requirements], { stdio: "inherit" });
  writeFileSync(join(folder, "complete"), "");
  return python;
}
