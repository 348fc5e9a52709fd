// One run of node-llama-cpp: the same measures as gemma.mjs takes, as one JSON document.
//     node llama.mjs '{"model": FILE, "threads": 2, "prefill": 512, "decode": 128, "repeat": 3, "context": 2048, "check": [2]}'
// `check` in the result is the greedy continuation of those token ids, to compare before timing. The measures that begin
// with `raw` are llama.cpp's own work, through node-llama-cpp's binding: no streaming, no sampling.
import { getLlama } from "node-llama-cpp";
import { median, randomTokens } from "../lib/random-tokens.mjs";

const { model: modelPath, threads, prefill, decode, repeat, context: contextSize, check } = JSON.parse(process.argv[2]);
const CHECK_TOKENS = 8;
const LARGEST_BATCH = 512; // llama.cpp's own default: a larger one only costs memory

const start = performance.now();
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: threads });
const model = await llama.loadModel({ modelPath });
const batchSize = Math.min(prefill, LARGEST_BATCH);
const context = await model.createContext({ contextSize, threads, batchSize });
const sequence = context.getSequence();
const loadMs = performance.now() - start;

/** A prompt and its greedy continuation through the streaming API. */
async function measure(seed) {
  await sequence.clearHistory();
  const tokens = randomTokens(model.tokens.bos, seed, prefill);
  const begin = performance.now();
  let firstTokenMs = 0;
  let generated = 0;
  let last = begin;
  for await (const _token of sequence.evaluate(tokens, { temperature: 0, yieldEogToken: true })) {
    last = performance.now();
    if (generated === 0) firstTokenMs = last - begin;
    if (++generated > decode) break;
  }
  const decodeMs = last - begin - firstTokenMs;
  return {
    firstTokenMs,
    prefillTokensPerSecond: (prefill / firstTokenMs) * 1000,
    decodeTokensPerSecond: ((generated - 1) / decodeMs) * 1000,
    generated,
  };
}

/** The same amount of work in bare batches; the continuation is random, for nothing is sampled. */
async function measureRaw(seed) {
  const binding = context._ctx; // internal, but the only way to llama_decode without the rest
  const tokens = Uint32Array.from(randomTokens(model.tokens.bos, seed, prefill + decode));
  const run = async (from, to) => {
    binding.initBatch(to - from);
    binding.addToBatch(0, from, tokens.subarray(from, to), Uint32Array.of(to - from - 1)); // logits of the last
    await binding.decodeBatch();
  };
  await sequence.clearHistory();
  const begin = performance.now();
  for (let at = 0; at < prefill; at += batchSize) await run(at, Math.min(prefill, at + batchSize));
  const prefillMs = performance.now() - begin;
  for (let at = prefill; at < prefill + decode; at++) await run(at, at + 1);
  const decodeMs = performance.now() - begin - prefillMs;
  binding.disposeSequence(0); // the sequence does not know what is in the cache
  return {
    rawPrefillTokensPerSecond: (prefill / prefillMs) * 1000,
    rawDecodeTokensPerSecond: (decode / decodeMs) * 1000,
  };
}

const continuation = [];
for await (const token of sequence.evaluate(check, { temperature: 0 })) {
  if (continuation.push(token) === CHECK_TOKENS) break;
}

await measure(0); // warms up, not counted
const runs = [];
for (let i = 1; i <= repeat; i++) runs.push({ ...(await measure(i)), ...(await measureRaw(i)) });
if (runs.some((run) => run.generated !== decode + 1)) throw new Error("node-llama-cpp ended before all tokens");
console.log(
  JSON.stringify({
    loadMs,
    firstTokenMs: median(runs.map((r) => r.firstTokenMs)),
    prefillTokensPerSecond: median(runs.map((r) => r.prefillTokensPerSecond)),
    decodeTokensPerSecond: median(runs.map((r) => r.decodeTokensPerSecond)),
    rawPrefillTokensPerSecond: median(runs.map((r) => r.rawPrefillTokensPerSecond)),
    rawDecodeTokensPerSecond: median(runs.map((r) => r.rawDecodeTokensPerSecond)),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    check: continuation,
  }),
);
await context.dispose();
await model.dispose();
