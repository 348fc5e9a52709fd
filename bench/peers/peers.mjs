// gemma.ts beside node-llama-cpp: the same file, threads and tokens, in turns, a process a run.
//     npm run bench:peers -- [--model FILE] [--rounds 3] [--threads 2] [--prefill 512] [--decode 128] [--json]
//     npm run bench:peers -- --scenario NAME [--scenario NAME ...]     of scenarios.mjs, "all": each of them; the options
//         above change it
// Times on a shared machine mean nothing by themselves: read the ratios.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { keepBusy } from "../lib/busy.mjs";
import { describeMachine, machineLine, measureLimits } from "../lib/machine.mjs";
import { print, summarise } from "./report.mjs";
import { SCENARIOS } from "./scenarios.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const generator = fileURLToPath(new URL("../random-gguf.mjs", import.meta.url));
const models = fileURLToPath(new URL("../../build/bench/", import.meta.url));
const PEER = "3.22.1";
const TOKENIZER = "gemma-3-270m"; // of files with random weights
const CHECK = [2, 818, 5279, 529, 7001, 563]; // <bos>The capital of France is

const { values } = parseArgs({
  options: {
    scenario: { type: "string", multiple: true, default: [] },
    model: { type: "string" },
    rounds: { type: "string" },
    threads: { type: "string" },
    prefill: { type: "string" },
    decode: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const run = (command, args, options = {}) =>
  execFileSync(command, args, {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "inherit"],
    ...options,
  });

/** The peer and the one binary package that this machine needs, beside this file, without its install scripts. */
function installPeer() {
  if (existsSync(`${here}node_modules/node-llama-cpp`)) return;
  console.error(`installing node-llama-cpp ${PEER} for this comparison`);
  const binary = `@node-llama-cpp/${process.platform}-${process.arch}@${PEER}`;
  const flags = ["--no-save", "--ignore-scripts", "--omit=optional", "--no-package-lock", "--prefix", here];
  run("npm", ["install", ...flags, `node-llama-cpp@${PEER}`, binary], { stdio: ["ignore", "ignore", "inherit"] });
}

/** [name, scenario] of what was asked for, as the other options change it. */
function chosen() {
  const names = values.scenario.includes("all") ? Object.keys(SCENARIOS).slice(1) : values.scenario;
  const unknown = names.find((name) => !Object.hasOwn(SCENARIOS, name));
  if (unknown !== undefined)
    throw new Error(`--scenario must be all, ${Object.keys(SCENARIOS).join(", ")}, got ${unknown}`);
  return (names.length > 0 ? names : ["basic"]).map((name) => [name, changed(SCENARIOS[name])]);
}

function changed(scenario) {
  const numbers = ["threads", "prefill", "decode", "rounds"].filter((key) => values[key] !== undefined);
  const given = Object.fromEntries(numbers.map((key) => [key, Number(values[key])]));
  const merged = { ...scenario, ...(values.model === undefined ? {} : { model: values.model }), ...given };
  return { ...merged, context: Math.max(merged.context, merged.prefill + merged.decode + 64) };
}

const pull = (model) => JSON.parse(run("node", [cli, "pull", "--json", model])).path;

/** The file of a scenario's model: pulled, or random weights, made once. */
function modelFile(model) {
  if (typeof model === "string") return pull(model);
  const path = `${models}${model.random}-${model.dtype}.gguf`;
  if (existsSync(path)) return path;
  console.error(`writing ${path}`);
  mkdirSync(models, { recursive: true });
  const flags = ["--variant", model.random, "--dtype", model.dtype, "--tokenizer", pull(TOKENIZER), "--out", path];
  run("node", [generator, ...flags]);
  return path;
}

function runGemma(path, { threads, prefill, decode, repeat, context }) {
  const model = ["--model", path, "--threads", threads, "--ctx", context];
  const flags = [...model, "--prefill", prefill, "--decode", decode, "--repeat", repeat];
  return JSON.parse(run("node", [cli, "bench", "--json", ...flags.map(String)]));
}

function runLlama(path, { threads, prefill, decode, repeat, context }) {
  const settings = { model: path, threads, prefill, decode, repeat, context, check: CHECK };
  return JSON.parse(run("node", [`${here}llama.mjs`, JSON.stringify(settings)]));
}

/** The two must say the same before their speed is compared: the first `same` tokens. */
function verify(path, theirs, same) {
  const ids = ["--ids", JSON.stringify(CHECK), "-t", "0", "-n", String(same)];
  const ours = JSON.parse(run("node", [cli, "run", "--json", "--model", path, "--ctx", "2048", ...ids])).ids;
  if (String(ours) !== String(theirs.slice(0, same)))
    throw new Error(`different continuations: ${ours} here, ${theirs} there`);
}

/** Both sides in turns, each first in every other round. */
function compare(path, scenario) {
  const rounds = [];
  for (let i = 0; i < scenario.rounds; i++) {
    const first = i % 2 === 0 ? { gemma: runGemma(path, scenario) } : {};
    const llama = runLlama(path, scenario);
    const round = { gemma: first.gemma ?? runGemma(path, scenario), llama };
    if (i === 0) verify(path, llama.check, scenario.same);
    rounds.push(round);
    console.error(`round ${i + 1} of ${scenario.rounds} done`);
  }
  return rounds;
}

installPeer();
const machine = describeMachine();
const results = [];
if (!values.json) console.log(`${machineLine(machine)}, node-llama-cpp ${PEER}`);
for (const [name, scenario] of chosen()) {
  const path = modelFile(scenario.model);
  const limits = measureLimits(scenario.threads); // of the machine as it is without us, and without the neighbour
  const release = keepBusy(scenario.busy);
  const rounds = compare(path, scenario);
  release();
  const result = summarise(name, scenario, rounds, limits, statSync(path).size);
  results.push(result);
  if (!values.json) print(result);
}
if (values.json) console.log(JSON.stringify({ machine, peer: `node-llama-cpp ${PEER}`, results }));
