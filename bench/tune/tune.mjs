// LoRA training: gemma.ts beside transformers + PEFT on torch's CPU kernels. Rank 16 on all linear layers, batches of
// 4 × 512 tokens, AdamW; the same weights, first adapter, tokens and threads, in turns, a process a run.
//     npm run bench:tune -- [--model FILE] [--rounds 3] [--steps 3] [--threads 2] [--dtype bfloat16|float32]
//         [--activations int8|f32] [--peer-checkpoints] [--attention sdpa|eager] [--sequences 4] [--length 512]
//         [--json] [--record FILE]
// gemma.ts has 8-bit activations and runs twice a round: with all activations kept, as `gemma tune` does where memory
// allows, and with activation checkpoints. PEFT has none (--peer-checkpoints: with them), and its pairs in f32. Without
// --dtype a step of each of the peer's types decides which one is compared.
import { execFileSync } from "node:child_process";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openCheckpoint } from "../../dist/load/open.js";
import { circumstances, limitsProbe } from "../lib/machine.mjs";
import { pythonWith } from "../lib/python.mjs";
import { makeRow } from "../lib/record.mjs";
import { publish } from "../lib/table.mjs";
import { hfFolder, writeAdapter, writeBatches } from "./prepare.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const RANK = 16;
const LEARNING_RATE = 2e-4;
const DTYPES = { bfloat16: "BF16", float32: "F32" };
/** How far the losses of the sides may be from each other, relative: rounding to bf16 moves them, a bug moves them more. */
const TOLERANCE = { first: 0.01, later: 0.03 };
const BARS = { speed: 2.2, memory: 0.3 };

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "gemma-3-270m" },
    rounds: { type: "string", default: "3" },
    steps: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    dtype: { type: "string" },
    activations: { type: "string", default: "int8" },
    backend: { type: "string", default: "native" },
    attention: { type: "string", default: "sdpa" },
    sequences: { type: "string", default: "4" },
    length: { type: "string", default: "512" },
    "peer-checkpoints": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    record: { type: "string" },
  },
});
const [rounds, steps, threads] = [values.rounds, values.steps, values.threads].map(Number);
const BATCH = { size: Number(values.sequences), length: Number(values.length) };
if (
  !(rounds >= 1 && steps >= 1 && threads >= 1 && BATCH.size >= 1 && BATCH.length >= 2) ||
  (values.dtype && !Object.hasOwn(DTYPES, values.dtype))
) {
  console.error(
    `--rounds, --steps, --threads and --sequences must be >= 1, --length >= 2, --dtype one of ${Object.keys(DTYPES).join(", ")}`,
  );
  process.exit(2);
}

const run = (command, args) =>
  JSON.parse(lastLine(execFileSync(command, args, { encoding: "utf8", maxBuffer: 1 << 26 })));
const lastLine = (text) => text.trimEnd().split("\n").at(-1);

const python = pythonWith(`${here}requirements.txt`, "peft", "GEMMA_PEFT_PYTHON");
const { path } = run("node", [cli, "pull", "--json", values.model]);
const checkpoint = openCheckpoint(path);
const { config } = checkpoint;
checkpoint.close();
const shared = {
  adapter: await writeAdapter(config, RANK),
  batches: writeBatches(path, { count: steps + 1, ...BATCH }),
  threads,
  learningRate: LEARNING_RATE,
};

function runOurs() {
  const { activations, backend } = values;
  const [kept, checkpoints] = [false, true].map((checkpoints) => {
    const setup = { ...shared, model: path, steps, activations, backend, checkpoints };
    return run("node", [`${here}gemma_run.mjs`, JSON.stringify(setup)]);
  });
  return { kept, checkpoints };
}

async function runPeer(dtype, count) {
  const model = await hfFolder(path, `${values.model.replace(/\W+/g, "-")}-hf`, DTYPES[dtype]);
  const peer = { dtype, attention: values.attention, checkpoints: values["peer-checkpoints"] };
  return run(python, [`${here}peft_run.py`, JSON.stringify({ ...shared, model, steps: count, ...peer })]);
}

const tokensPerSecond = ({ seconds }) => seconds.map((each) => (BATCH.size * BATCH.length) / each);
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** The faster of the peer's types, by a step of each. */
async function fasterDtype() {
  if (values.dtype) return values.dtype;
  const seconds = {};
  for (const dtype of Object.keys(DTYPES)) {
    const result = await runPeer(dtype, 1);
    seconds[dtype] = result.seconds[0];
    const gigabytes = (result.peakRssBytes / 1e9).toFixed(1);
    console.error(`PEFT in ${dtype}: ${tokensPerSecond(result)[0].toFixed(0)} tokens/s, ${gigabytes} GB`);
  }
  return Object.keys(seconds).sort((a, b) => seconds[a] - seconds[b])[0];
}

/** Both learn the same, or their speeds say nothing. */
function verify(ours, theirs) {
  for (const [step, loss] of ours.losses.entries()) {
    const other = theirs.losses[step];
    const difference = Math.abs(loss / other - 1);
    if (difference <= (step === 0 ? TOLERANCE.first : TOLERANCE.later)) continue;
    throw new Error(`step ${step}: different losses: ${loss} here, ${other} there`);
  }
  if (ours.trainedParameters !== theirs.trainedParameters)
    throw new Error(`different adapters: ${ours.trainedParameters} here, ${theirs.trainedParameters} there`);
}

if (loadavg()[0] > 0.5) {
  console.error(
    `load ${loadavg()[0].toFixed(1)}: torch's threads wait for each other, so beside other work its times are ten`,
  );
  console.error("times those of an idle machine; such a comparison says nothing");
}
const dtype = await fasterDtype();
const probe = limitsProbe(threads);
const results = [];
for (let round = 0; round < rounds; round++) {
  probe.measure();
  const first = round % 2 === 0 ? runOurs() : null;
  const theirs = await runPeer(dtype, steps);
  const ours = first ?? runOurs();
  if (round === 0) for (const each of Object.values(ours)) verify(each, theirs);
  results.push({ ours, theirs });
  console.error(`round ${round + 1} of ${rounds} done`);
}
probe.measure();

const [{ ours, theirs }] = results;
const rows = Object.entries({ kept: "", checkpoints: ", with checkpoints" }).flatMap(([mode, label]) => [
  makeRow({
    id: `tokensPerSecond-${mode}`,
    label: `training${label}`,
    unit: "tokens/s",
    ours: results.map((result) => median(tokensPerSecond(result.ours[mode]))),
    theirs: results.map((result) => median(tokensPerSecond(result.theirs))),
    targets: [{ of: "ratio", atLeast: BARS.speed }],
  }),
  makeRow({
    id: `memory-${mode}`,
    label: `peak memory of the process${label}`,
    unit: "MB",
    better: "lower",
    ours: results.map((result) => result.ours[mode].peakRssBytes / 1e6),
    theirs: results.map((result) => result.theirs.peakRssBytes / 1e6),
    targets: [{ of: "ratio", atMost: BARS.memory }],
  }),
]);
const { name, isa, activations } = ours.kept;
const kept = values["peer-checkpoints"] ? "with" : "without";
const suffix = values["peer-checkpoints"] ? "-peer-checkpoints" : "";
publish(values, "tune", {
  name: `lora-r${RANK}-${BATCH.size}x${BATCH.length}${suffix}`,
  title: `LoRA rank ${RANK} on all linear layers of ${values.model}, ${BATCH.size} × ${BATCH.length} tokens, ${threads} threads; PEFT in ${dtype}, ${values.attention}, ${kept} checkpoints`,
  ours: "gemma.ts",
  peer: "transformers + PEFT",
  peerVersion: theirs.version,
  ...circumstances(),
  load: probe.load(),
  rounds,
  settings: {
    ...{ threads, steps, rank: RANK, ...BATCH, learningRate: LEARNING_RATE, backend: name, isa, activations, dtype },
    ...{ attention: values.attention, peerCheckpoints: values["peer-checkpoints"] },
    losses: { ours: ours.kept.losses, theirs: theirs.losses },
  },
  limits: probe.limits(),
  rows,
});
