// One run of gemma.ts, as one JSON document; tune.mjs says what it is given.
//     node gemma_run.mjs '{"model": FILE, "adapter": FOLDER, "batches": FILE, "threads": 2, "activations": "int8",
//         "checkpoints": true, "steps": 3, "learningRate": 0.0002}'
// The first step is a warm-up: its loss is kept, its time is not.
import { readFileSync } from "node:fs";
import { openCheckpoint } from "../../dist/load/open.js";
import { openAdapter } from "../../dist/load/open-adapter.js";
import { loadAdapter } from "../../dist/model/adapter-peft.js";
import { loadWeights } from "../../dist/model/weights.js";
import { chooseBackend } from "../../dist/runtime/backends.js";
import { Optimizer } from "../../dist/tune/optimizer.js";
import { loraParameters, zeroGradients } from "../../dist/tune/parameters.js";
import { Trainer } from "../../dist/tune/trainer.js";

const setup = JSON.parse(process.argv[2]);
const { threads, activations, backend, checkpoints, steps, learningRate } = setup;
const batches = JSON.parse(readFileSync(setup.batches, "utf8")).map((batch) => batch.map(sequenceOf));

const be = await chooseBackend(backend, { activations, threads });
const checkpoint = openCheckpoint(setup.model);
const { config, tensors, naming } = checkpoint;
const weights = await loadWeights(be, config, tensors, { naming });
checkpoint.close();
const opened = openAdapter(setup.adapter, config);
const adapter = loadAdapter(be, "bench", opened.adapter);
opened.close();

const parameters = loraParameters(be, adapter);
const [first] = batches;
const trainer = new Trainer(be, config, weights, parameters, {
  maxRows: first.reduce((sum, { ids }) => sum + ids.length, 0),
  maxSequences: first.length,
  maxLength: Math.max(...first.map(({ ids }) => ids.length)),
  checkpoints,
  kv: activations === "int8" ? "bf16" : "f32", // as `gemma tune` does
});
const optimizer = new Optimizer(be, parameters);
const losses = [];
const seconds = [];
for (let step = 0; step <= steps; step++) {
  const begin = performance.now();
  losses.push(await train(batches[step % batches.length]));
  if (step > 0) seconds.push((performance.now() - begin) / 1000);
}
const trainedParameters = parameters.reduce((sum, { value }) => sum + value.shape[0] * value.shape[1], 0);
console.log(JSON.stringify({ losses, seconds, peakRssBytes: peakRssBytes(), trainedParameters, ...be.info() }));

/** @returns mean loss of the batch's targets, before the step */
async function train(batch) {
  const targets = batch.reduce((sum, sequence) => sum + sequence.targets, 0);
  zeroGradients(be, parameters);
  const sum = await trainer.addGradients(batch, adapter, 1 / targets);
  optimizer.step(learningRate);
  await be.read(parameters[0].value); // the end of all that was enqueued
  return sum / targets;
}

/** All tokens but the first are learned. */
function sequenceOf(ids) {
  const isTarget = new Uint8Array(ids.length).fill(1);
  isTarget[0] = 0;
  return { ids: Int32Array.from(ids), isTarget, targets: ids.length - 1 };
}

function peakRssBytes() {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
}
