// Peak memory of QLoRA at Gemma 2B's size: random weights that stay packed, an adapter of rank 16 on all linear layers,
// 512 tokens a step. The bar: 6 GB.
//     npm run bench:tune-memory -- [--dtype Q4_0,Q4_K] [--length 512] [--steps 1] [--threads 2] [--activations int8|f32]
//         [--json] [--record FILE]
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gemma2b } from "../../dist/model/variants.js";
import { circumstances, limitsProbe } from "../lib/machine.mjs";
import { makeRow } from "../lib/record.mjs";
import { publish } from "../lib/table.mjs";
import { WORK, writeAdapter, writeRandomBatches } from "./prepare.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));
const RANK = 16;
const BAR_MB = 6000;

const { values } = parseArgs({
  options: {
    dtype: { type: "string", default: "Q4_0,Q4_K" },
    length: { type: "string", default: "512" },
    steps: { type: "string", default: "1" },
    threads: { type: "string", default: "2" },
    activations: { type: "string", default: "int8" },
    json: { type: "boolean", default: false },
    record: { type: "string" },
  },
});
const [length, steps, threads] = [values.length, values.steps, values.threads].map(Number);
const { activations } = values;

const run = (args) => execFileSync("node", args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** A file of random weights, made once. */
function modelFile(dtype) {
  const path = `${WORK}gemma-2b-${dtype}.gguf`;
  if (existsSync(path)) return path;
  console.error(`writing ${path}`);
  mkdirSync(WORK, { recursive: true });
  const tokenizer = JSON.parse(run([`${root}dist/cli/main.js`, "pull", "--json", "gemma-3-270m"])).path;
  const what = ["--variant", "gemma-2b", "--dtype", dtype, "--tokenizer", tokenizer, "--out", path];
  run([`${root}bench/random-gguf.mjs`, ...what]);
  return path;
}

const adapter = await writeAdapter(gemma2b, RANK);
const batches = writeRandomBatches(gemma2b.vocabSize, { count: steps + 1, size: 1, length });
const probe = limitsProbe(threads);
probe.measure();
const rows = values.dtype.split(",").flatMap((dtype) => {
  const setup = {
    model: modelFile(dtype),
    adapter,
    batches,
    threads,
    activations,
    backend: "native",
    checkpoints: true,
  };
  const result = JSON.parse(run([`${here}gemma_run.mjs`, JSON.stringify({ ...setup, steps, learningRate: 2e-4 })]));
  return [
    makeRow({
      id: `memory-${dtype}`,
      label: `${dtype}: peak memory of the process`,
      unit: "MB",
      better: "lower",
      ours: [result.peakRssBytes / 1e6],
      targets: [{ of: "ours", atMost: BAR_MB }],
    }),
    makeRow({
      id: `speed-${dtype}`,
      label: `${dtype}: training`,
      unit: "tokens/s",
      ours: [(length * steps) / result.seconds.reduce((sum, each) => sum + each, 0)],
    }),
  ];
});
probe.measure();
publish(values, "tune-memory", {
  name: "qlora-2b",
  title: `QLoRA rank ${RANK} at Gemma 2B's size, random weights, ${length} tokens a step, ${threads} threads`,
  ours: "gemma.ts",
  peer: null,
  ...circumstances(),
  load: probe.load(),
  rounds: 1,
  settings: { threads, steps, rank: RANK, length, activations },
  limits: probe.limits(),
  rows,
});
