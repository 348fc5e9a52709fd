// gemma.ts beside node-llama-cpp: the same file, threads and tokens, in turns, a process a run.
//     npm run bench:peers -- [--model FILE] [--rounds 3] [--threads 2] [--prefill 512] [--decode 128]
// Times on a shared machine mean nothing by themselves: read the ratios.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const PEER = "3.22.1";
const CONTEXT = 2048;
const CHECK = [2, 818, 5279, 529, 7001, 563]; // <bos>The capital of France is
const CHECK_SAME = 4; // both quantise activations, each in its own way: later tokens may part at a near tie

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "gemma-3-270m" },
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    prefill: { type: "string", default: "512" },
    decode: { type: "string", default: "128" },
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

installPeer();
const { path } = JSON.parse(run("node", [cli, "pull", "--json", values.model]));
const { threads, prefill, decode } = values;
const sides = {
  gemma: () =>
    run("node", [
      ...[cli, "bench", "--json", "--model", path, "--threads", threads, "--ctx", String(CONTEXT)],
      ...["--prefill", prefill, "--decode", decode, "--repeat", "3"],
    ]),
  llama: () =>
    run("node", [`${here}llama.mjs`, path, threads, prefill, decode, "3", String(CONTEXT), JSON.stringify(CHECK)]),
};

/** The two must say the same before their speed is compared. */
function verify(round) {
  const ids = ["--ids", JSON.stringify(CHECK), "-t", "0", "-n", String(CHECK_SAME)];
  const ours = JSON.parse(run("node", [cli, "run", "--json", "--model", path, "--ctx", String(CONTEXT), ...ids])).ids;
  const theirs = round.llama.check.slice(0, CHECK_SAME);
  if (String(ours) !== String(theirs)) throw new Error(`different continuations: ${ours} here, ${theirs} there`);
}

const rounds = [];
for (let i = 0; i < Number(values.rounds); i++) {
  const order = i % 2 === 0 ? ["gemma", "llama"] : ["llama", "gemma"];
  const round = {};
  for (const side of order) round[side] = JSON.parse(sides[side]());
  if (i === 0) verify(round);
  rounds.push(round);
  console.error(`round ${i + 1} of ${values.rounds} done`);
}

const MEASURES = [
  ["loadMs", "load, ms", "lower is better"],
  ["timeToFirstTokenMs", "time to first token, ms", "lower is better"],
  ["prefillTokensPerSecond", "prefill, tokens/s", "higher is better"],
  ["decodeTokensPerSecond", "decode, tokens/s", "higher is better"],
  ["peakRssBytes", "peak memory, bytes", "lower is better"],
];
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const table = MEASURES.map(([key, label, sense]) => ({
  key,
  label,
  sense,
  gemma: median(rounds.map((r) => r.gemma[key])),
  llama: median(rounds.map((r) => r.llama[key])),
  ratio: median(rounds.map((r) => r.gemma[key] / r.llama[key])), // of each round, then the median
}));
const machine = { cpu: cpus()[0].model, cores: cpus().length, memoryBytes: totalmem(), node: process.version };
if (values.json)
  console.log(JSON.stringify({ machine, peer: `node-llama-cpp ${PEER}`, settings: values, table, rounds }));
else {
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${threads} threads, node-llama-cpp ${PEER}, ${rounds.length} rounds`,
  );
  for (const { label, gemma, llama, ratio, sense } of table) {
    const numbers = `${gemma.toFixed(1).padStart(14)} ${llama.toFixed(1).padStart(14)} ${ratio.toFixed(2).padStart(7)} x`;
    console.log(`${label.padEnd(26)}${numbers}  ${sense}`);
  }
}
