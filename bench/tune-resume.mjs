// Kills a run of `gemma tune` with SIGKILL at random moments and lets it go on, and checks that its adapter is byte for byte
// that of a run that nothing stopped.
//   npm run bench:tune-resume -- [--count 10] [--model M] [--backend B] [--steps 12] [--seed S] [--json]
// Each time: a fresh folder; kills somewhere in the whole run's duration, loading included, until one comes too late.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { seededRng } from "../dist/base/rng.js";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10" },
    model: { type: "string", default: "gemma-3-270m" },
    backend: { type: "string", default: "native" },
    steps: { type: "string", default: "12" },
    seed: { type: "string", default: String(Date.now() % 1e6) },
    json: { type: "boolean", default: false },
  },
});

const root = mkdtempSync(join(tmpdir(), "gemma-tune-resume-"));
const data = join(root, "data.jsonl");
const rng = seededRng(Number(values.seed));
const row = (i) => JSON.stringify({ prompt: `What is ${i} + ${i}?`, completion: `${2 * i}` });
writeFileSync(data, Array.from({ length: 12 }, (_, i) => `${row(i)}\n`).join(""));
const runs = [];
try {
  let started = performance.now();
  const code = await begin("whole");
  if (code !== 0) throw new Error(`the run that nothing stops ended with ${code}`);
  let wholeMs = performance.now() - started;
  const expected = adapter("whole");
  for (let i = 0; runs.length < Number(values.count); i++) {
    const name = `killed-${i}`;
    const kills = [];
    for (let ended = null; ended === null; ) {
      const atMs = rng.uniform() * wholeMs;
      const isBegun = existsSync(join(root, name, "config.json"));
      started = performance.now();
      // Two kills a run at most: a third process does the rest.
      const killMs = kills.length < 2 ? atMs : undefined;
      ended = await (isBegun
        ? gemma(["tune", "--resume", join(root, name), ...machine()], killMs)
        : begin(name, killMs));
      if (ended === null) kills.push(Math.round(atMs));
      else if (ended !== 0) throw new Error(`a run ended by itself with ${ended}`);
      else if (kills.length === 0) wholeMs = performance.now() - started; // done before the kill: the first run was slower
    }
    if (kills.length > 0) runs.push({ kills, isEqual: adapter(name).equals(expected) });
    rmSync(join(root, name), { recursive: true, force: true });
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

const equal = runs.filter(({ isEqual }) => isEqual).length;
if (values.json) console.log(JSON.stringify({ ...values, equal, runs }));
else {
  for (const { kills, isEqual } of runs) {
    console.log(`killed after ${kills.join(" and ")} ms: ${isEqual ? "equal" : "DIFFERENT"}`);
  }
  console.log(`${equal} of ${runs.length} equal the run that nothing stopped, seed ${values.seed}`);
}
process.exitCode = equal === runs.length ? 0 : 1;

function begin(name, killMs) {
  const { model, steps } = values;
  const run = ["tune", "-m", model, "--data", data, "--out", join(root, name), "--max-steps", steps];
  const options = "--checkpoint-every 2 --batch-examples 4 --dropout 0.1 --rank 4 --held-out-count 2 --template none";
  return gemma([...run, ...options.split(" "), ...machine()], killMs);
}

function machine() {
  return ["--backend", values.backend];
}

/** @returns the exit code; null where it was killed */
function gemma(args, killMs) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args, "--json"], { stdio: ["ignore", "ignore", "inherit"] });
    const timer = killMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killMs);
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
}

function adapter(name) {
  return readFileSync(join(root, name, "adapter", "adapter_model.safetensors"));
}
