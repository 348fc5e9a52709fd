// The wasm backend beside the native one: decode and prefill, in one process, in turns.
//     npm run bench:wasm -- [--model M] [--rounds 3] [--threads 2] [--decode 64] [--json] [--record FILE]
// First the greedy texts are compared, up to where they part: a near tie, for activations are the same 8 bits.
import { parseArgs } from "node:util";
import { Gemma } from "../dist/index.js";
import { circumstances, limitsProbe } from "./lib/machine.mjs";
import { makeRow } from "./lib/record.mjs";
import { publish } from "./lib/table.mjs";

const PROMPT = "The history of the lighthouse begins in antiquity, when fires on hills guided ships into harbours.";
const LONG = Array.from({ length: 24 }, (_, i) => `${i + 1}. ${PROMPT}`).join("\n");
/** The greedy texts must be the same so far, or the sides do not compute the same. */
const SAME_LETTERS = 24;
const DECODE_BAR = 0.45; // of native's
const BACKENDS = ["wasm", "native"];

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "gemma-3-270m" },
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    decode: { type: "string", default: "64" },
    json: { type: "boolean", default: false },
    record: { type: "string" },
  },
});
const [rounds, threads, decode] = [values.rounds, values.threads, values.decode].map(Number);
if (!(rounds >= 1 && threads >= 1 && decode >= 2)) {
  console.error("--rounds and --threads must be >= 1, --decode >= 2");
  process.exit(2);
}

const models = {};
for (const backend of BACKENDS) models[backend] = await Gemma.load(values.model, { backend, threads });

/** Tokens a second of one side. */
async function measure(backend, round) {
  const write = (prompt, maxTokens) =>
    models[backend].generate(prompt, { maxTokens, temperature: 0, ignoreEos: true, promptLookup: false }).result;
  const short = await write(PROMPT, decode);
  const long = await write(`${round} ${LONG}`, 1);
  const { promptTokens, cachedTokens, firstTokenMs, queueMs } = long.timings;
  return {
    text: short.text,
    decode: (1000 * (short.timings.generatedTokens - 1)) / short.timings.decodeMs,
    prefill: (1000 * (promptTokens - cachedTokens)) / (firstTokenMs - queueMs),
  };
}

function verify(texts) {
  const [wasm, native] = texts.map((text) => text.slice(0, SAME_LETTERS));
  if (wasm === native) return;
  throw new Error(`different continuations: ${JSON.stringify(wasm)} by wasm, ${JSON.stringify(native)} by native`);
}

const probe = limitsProbe(threads);
const results = { wasm: [], native: [] };
for (let round = 0; round <= rounds; round++) {
  probe.measure();
  const order = round % 2 === 0 ? BACKENDS : [...BACKENDS].reverse();
  const found = {};
  for (const backend of order) found[backend] = await measure(backend, round);
  verify(BACKENDS.map((backend) => found[backend].text));
  if (round > 0) for (const backend of BACKENDS) results[backend].push(found[backend]); // the first one warms up
}
await Promise.all(Object.values(models).map((model) => model.dispose()));

const row = (id, targets) =>
  makeRow({
    ...{ id, label: id, unit: "tokens/s", targets },
    ours: results.wasm.map((one) => one[id]),
    theirs: results.native.map((one) => one[id]),
  });
publish(values, "wasm", {
  name: "wasm",
  title: `${values.model} on wasm beside native, ${threads} threads, decode ${decode}`,
  ours: "wasm",
  peer: "native",
  peerVersion: models.native.info.backend.isa,
  ...circumstances(),
  load: probe.load(),
  rounds,
  settings: { threads, decode, isa: models.wasm.info.backend.isa },
  limits: probe.limits(),
  rows: [row("decode", [{ of: "ratio", atLeast: DECODE_BAR }]), row("prefill", [])],
});
