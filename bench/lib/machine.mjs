// What a number depends on besides the code: the machine, its limits, the commit.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export function describeMachine() {
  return {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryBytes: totalmem(),
    load: loadavg()[0],
    node: process.version,
    commit: commit(),
  };
}

export function machineLine({ cpu, cores, load, node, commit }) {
  return `${cpu}, ${cores} cores, load ${load.toFixed(1)}, Node ${node}, commit ${commit}`;
}

/** The short hash, with a + where files differ from it. */
function commit() {
  const git = (...args) => spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  const { status, stdout } = git("rev-parse", "--short=12", "HEAD");
  if (status !== 0) return "unknown";
  return stdout.trim() + (git("status", "--porcelain", "--untracked-files=no").stdout === "" ? "" : "+");
}

/**
 * Measures bench/probes/limits.cc on `threads` threads, compiled when that is needed.
 * @returns its numbers; undefined without a compiler, which it says
 */
export function measureLimits(threads) {
  const source = `${ROOT}bench/probes/limits.cc`;
  const candidates = process.env.CXX ? [process.env.CXX] : ["g++", "clang++", "c++"];
  const compiler = candidates.find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0);
  if (compiler === undefined) {
    console.error(`no C++ compiler (${candidates.join(", ")}): the machine's limits are not measured`);
    return undefined;
  }
  // For this CPU alone: a build folder may be shared.
  const key = createHash("sha256").update(readFileSync(source)).update(`${compiler} ${cpus()[0]?.model}`);
  const program = `${ROOT}build/bench/limits-${key.digest("hex").slice(0, 12)}`;
  if (!existsSync(program)) {
    mkdirSync(`${ROOT}build/bench`, { recursive: true });
    const temporary = `${program}.${process.pid}`;
    execFileSync(compiler, [...["-O3", "-march=native", "-std=c++17", "-pthread"], source, "-o", temporary]);
    renameSync(temporary, program);
  }
  return JSON.parse(execFileSync(program, [String(threads)], { encoding: "utf8" }));
}
