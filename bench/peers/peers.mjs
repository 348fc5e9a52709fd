// gemma.ts beside node-llama-cpp: the same file, threads and tokens, in turns, a process a run.
//     npm run bench:peers -- [--model FILE] [--rounds 3] [--threads 2] [--prefill 512] [--decode 128] [--json] [--record FILE]
//     npm run bench:peers -- --scenario NAME [--scenario NAME ...]     of scenarios.mjs, "all": each of them; the options
//         above change it
// Times on a shared machine mean nothing by themselves: read the ratios.
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { keepBusy } from "../lib/busy.mjs";
import { circumstances, describeMachine, limitsProbe, machineLine } from "../lib/machine.mjs";
import { writeRecord } from "../lib/record.mjs";
import { printScenario } from "../lib/table.mjs";
import { installPeer, PEER } from "./install.mjs";
import { peerRows } from "./rows.mjs";
import { SCENARIOS } from "./scenarios.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const generator = fileURLToPath(new URL("../random-gguf.mjs", import.meta.url));
const models = fileURLToPath(new URL("../../build/bench/", import.meta.url));
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
    record: { type: "string" },
  },
});

const run = (command, args, options = {}) =>
  execFileSync(command, args, {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "inherit"],
    ...options,
  });

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

/** One run of a side's program in a process of its own. */
function runSide(program, path, { threads, prefill, decode, repeat, context }, options = {}) {
  const setup = { model: path, threads, prefill, decode, repeat, context, check: CHECK, ...options };
  return JSON.parse(run("node", [`${here}${program}`, JSON.stringify(setup)]));
}

/** All of our runs in a round: streaming, raw, and the variants. */
function runOurs(path, scenario) {
  const variants = Object.entries(scenario.variants).map(([name, { label: _, ...options }]) => [
    name,
    runSide("gemma.mjs", path, scenario, options),
  ]);
  return {
    stream: runSide("gemma.mjs", path, scenario),
    raw: runSide("gemma.mjs", path, scenario, { raw: true }),
    variants: Object.fromEntries(variants),
  };
}

/** The two must say the same before their speed is compared: the first `same` tokens. */
function verify({ stream, variants, llama }, same) {
  for (const { check } of [stream, ...Object.values(variants)]) {
    const [ours, theirs] = [check, llama.check].map((ids) => String(ids.slice(0, same)));
    if (ours !== theirs) throw new Error(`different continuations: ${ours} here, ${theirs} there`);
  }
}

/** Both sides in turns, each first in every other round; the machine's limits before each round and behind the last. */
function compare(path, scenario, probe) {
  const rounds = [];
  for (let i = 0; i < scenario.rounds; i++) {
    probe.measure();
    const release = keepBusy(scenario.busy);
    const first = i % 2 === 0 ? runOurs(path, scenario) : null;
    const llama = runSide("llama.mjs", path, scenario);
    rounds.push({ ...(first ?? runOurs(path, scenario)), llama });
    release();
    if (i === 0) verify(rounds[0], scenario.same);
    console.error(`round ${i + 1} of ${scenario.rounds} done`);
  }
  probe.measure();
  return rounds;
}

/** Reads a file once: loads are measured from the page cache. */
function intoPageCache(path) {
  const [fd, buffer] = [openSync(path, "r"), Buffer.alloc(8 << 20)];
  while (readSync(fd, buffer) > 0);
  closeSync(fd);
}

function measure(name, scenario) {
  const path = modelFile(scenario.model);
  intoPageCache(path);
  const probe = limitsProbe(scenario.threads);
  const rounds = compare(path, scenario, probe);
  const { threads, prefill, decode, busy, label } = scenario;
  const limits = probe.limits();
  const neighbour = busy > 0 ? `, ${busy} core kept busy by another process` : "";
  return {
    name,
    title: `${name}: ${label}, ${threads === 1 ? "1 thread" : `${threads} threads`}, prefill ${prefill}, decode ${decode}${neighbour}`,
    ours: "gemma.ts",
    peer: "llama.cpp",
    peerVersion: `node-llama-cpp ${PEER}`,
    ...circumstances(),
    load: probe.load(),
    rounds: rounds.length,
    settings: { threads, prefill, decode, busy, isa: rounds[0].stream.isa },
    limits,
    rows: peerRows(scenario, rounds, limits, statSync(path).size),
  };
}

installPeer();
const machine = describeMachine();
const scenarios = [];
if (!values.json) console.log(`${machineLine(machine)}, node-llama-cpp ${PEER}`);
for (const [name, scenario] of chosen()) {
  const result = measure(name, scenario);
  scenarios.push(result);
  if (!values.json) printScenario(result);
  if (values.record) writeRecord(values.record, { bench: "peers", machine, scenarios: [result] });
}
if (values.json) console.log(JSON.stringify({ bench: "peers", machine, scenarios }));
