// The wasm backend beside the native one: decode and prefill, in one process, in turns.
//   npm run bench:wasm -- [--model M] [--threads N] [--tokens N] [--rounds N]
// First the greedy texts are compared, token by token, up to where they part: a near tie, for activations are the same 8 bits.
import { parseArgs } from "node:util";
import { Gemma } from "../dist/index.js";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "gemma-3-270m" },
    threads: { type: "string", default: "2" },
    tokens: { type: "string", default: "64" },
    rounds: { type: "string", default: "3" },
  },
});
const [threads, tokens, rounds] = [values.threads, values.tokens, values.rounds].map(Number);
const PROMPT = "The history of the lighthouse begins in antiquity, when fires on hills guided ships into harbours.";
const LONG = Array.from({ length: 24 }, (_, i) => `${i + 1}. ${PROMPT}`).join("\n");
const BACKENDS = ["native", "wasm"];

const models = {};
for (const backend of BACKENDS) {
  models[backend] = await Gemma.load(values.model, { backend, threads, promptLookup: false });
  const { isa, threads: count } = models[backend].info.backend;
  console.log(`${backend}: ${isa}, ${count} threads, loaded in ${models[backend].info.loadMs.toFixed(0)} ms`);
}

const texts = {};
const best = Object.fromEntries(BACKENDS.map((backend) => [backend, { decode: 0, prefill: 0 }]));
for (let round = 0; round <= rounds; round++) {
  for (const backend of BACKENDS) {
    const { text, timings } = await generate(backend, PROMPT, tokens);
    const long = await generate(backend, `${round} ${LONG}`, 1);
    texts[backend] = text;
    if (round === 0) continue; // warms up
    best[backend].decode = Math.max(best[backend].decode, rate(timings.generatedTokens - 1, timings.decodeMs));
    const { promptTokens, cachedTokens, firstTokenMs, queueMs } = long.timings;
    const prefill = rate(promptTokens - cachedTokens, firstTokenMs - queueMs);
    best[backend].prefill = Math.max(best[backend].prefill, prefill);
  }
}
const same = [...texts.native].findIndex((letter, i) => letter !== texts.wasm[i]);
console.log(same < 0 ? "equal texts" : `texts part after ${same} of ${texts.native.length} letters`);
for (const what of ["decode", "prefill"]) {
  const [native, wasm] = BACKENDS.map((backend) => best[backend][what]);
  const rates = `native ${native.toFixed(1)}, wasm ${wasm.toFixed(1)} tokens/s`;
  console.log(`${what}: ${rates}, ${(wasm / native).toFixed(2)} of native`);
}
await Promise.all(Object.values(models).map((model) => model.dispose()));

function rate(count, ms) {
  return (1000 * count) / ms;
}

async function generate(backend, prompt, maxTokens) {
  return models[backend].generate(prompt, { maxTokens, temperature: 0 }).result;
}
