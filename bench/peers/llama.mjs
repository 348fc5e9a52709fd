// One run of node-llama-cpp: the same measures as `gemma bench --json`, as one JSON document.
//     node llama.mjs MODEL THREADS PREFILL DECODE REPEAT CONTEXT CHECK
// CHECK is a JSON array of token ids; `check` in the result is their greedy continuation, to compare before timing.
import { getLlama } from "node-llama-cpp";

const [modelPath, ...numbers] = process.argv.slice(2);
const [threads, prefill, decode, repeat, contextSize] = numbers.map(Number);
const checkIds = JSON.parse(numbers[5]);
const CHECK_TOKENS = 8;

const start = performance.now();
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: threads });
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({ contextSize, threads, batchSize: prefill });
const sequence = context.getSequence();
const loadMs = performance.now() - start;

/** One prompt of random tokens, another each time, and its greedy continuation. */
async function measure(seed) {
  await sequence.clearHistory();
  let state = seed * 7919 + 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 1000 + (state % 200_000);
  };
  const tokens = [model.tokens.bos, ...Array.from({ length: prefill - 1 }, next)];
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

const check = [];
for await (const token of sequence.evaluate(checkIds, { temperature: 0 })) {
  if (check.push(token) === CHECK_TOKENS) break;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
await measure(0); // warms up, not counted
const runs = [];
for (let i = 1; i <= repeat; i++) runs.push(await measure(i));
if (runs.some((run) => run.generated !== decode + 1)) throw new Error("node-llama-cpp ended before all tokens");
console.log(
  JSON.stringify({
    loadMs,
    timeToFirstTokenMs: median(runs.map((r) => r.firstTokenMs)),
    prefillTokensPerSecond: median(runs.map((r) => r.prefillTokensPerSecond)),
    decodeTokensPerSecond: median(runs.map((r) => r.decodeTokensPerSecond)),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    threads,
    backend: "node-llama-cpp",
    isa: "",
    check,
  }),
);
await context.dispose();
await model.dispose();
