// What a number depends on besides the code: the machine, its limits, the commit.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { spread } from "./record.mjs";

const LIMITS = ["readGBs", "matvecGBs", "dotGops", "fmaGflops", "bf16Gflops"];
/** Options that say where results go, not what is measured. */
const OUTPUT = { record: { type: "string" }, json: { type: "boolean" } };
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export function describeMachine() {
  return { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, memoryBytes: totalmem() };
}

/** What was run, when, and with which code. `args`: those that a second run of the same needs. */
export function circumstances() {
  const { tokens } = parseArgs({ args: process.argv.slice(2), strict: false, tokens: true, options: OUTPUT });
  const kept = tokens.filter(({ name }) => !(name in OUTPUT));
  const args = kept.flatMap(({ rawName = [], value = [] }) => [rawName, value].flat());
  return { date: new Date().toISOString(), commit: commit(), node: process.version, args };
}

export function machineLine({ cpu, cores }) {
  const { node, commit: at } = circumstances();
  return `${cpu}, ${cores} cores, load ${loadavg()[0].toFixed(1)}, Node ${node}, commit ${at}`;
}

/** The short hash, with a + where files differ from it. */
function commit() {
  const git = (...args) => spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  const { status, stdout } = git("rev-parse", "--short=12", "HEAD");
  if (status !== 0) return "unknown";
  return stdout.trim() + (git("status", "--porcelain", "--untracked-files=no").stdout === "" ? "" : "+");
}

/**
 * Prepares bench/probes/limits.cc for `threads` threads; it is compiled when that is needed. Each `measure()` takes
 * about a second; `limits()` sums up all of them, or is null without a compiler.
 */
export function limitsProbe(threads, clock = "wall") {
  const program = probeProgram();
  const runs = [];
  const loads = [];
  return {
    measure() {
      loads.push(loadavg()[0]);
      if (program !== null)
        runs.push(JSON.parse(execFileSync(program, [String(threads), clock], { encoding: "utf8" })));
    },
    /** Processes that wanted to run, before each measurement. */
    load: () => spread(loads),
    limits() {
      if (runs.length === 0) return null;
      const { unit, bytes } = runs[0];
      const measured = LIMITS.map((name) => [name, spread(runs.map((run) => run[name]))]);
      return { unit, threads, bytes, ...Object.fromEntries(measured) };
    },
  };
}

/** Other processes only lower what a probe measures: the highest of all runs is the limit. */
export function memoryLimit(limits) {
  return limits === null ? null : Math.max(limits.readGBs.highest, limits.matvecGBs.highest);
}

export function limitsLine({ unit, readGBs, matvecGBs, dotGops, fmaGflops, bf16Gflops }) {
  const range = (measured, digits) => {
    const [lowest, highest] = [measured.lowest, measured.highest].map((value) => value.toFixed(digits));
    return lowest === highest ? highest : `${lowest} to ${highest}`;
  };
  const memory = `reads ${range(readGBs, 1)} GB/s, matrix-vector ${range(matvecGBs, 1)} GB/s`;
  const bf16 = bf16Gflops.highest > 0 ? `, bf16 dots ${range(bf16Gflops, 0)} GFLOPS` : "";
  return `limits here: ${memory}, 8-bit dots ${range(dotGops, 0)} GOPS (${unit}), f32 ${range(fmaGflops, 0)} GFLOPS${bf16}`;
}

/** Path of the compiled probe, or null, which it says. */
function probeProgram() {
  const source = `${ROOT}bench/probes/limits.cc`;
  const candidates = process.env.CXX ? [process.env.CXX] : ["g++", "clang++", "c++"];
  const compiler = candidates.find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0);
  if (compiler === undefined) {
    console.error(`no C++ compiler (${candidates.join(", ")}): the machine's limits are not measured`);
    return null;
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
  return program;
}
