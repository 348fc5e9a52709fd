// One run of gemma.ts, as one JSON document.
//     node gemma.mjs '{"model": FILE, "threads": 2, "prefill": 512, "decode": 128, "repeat": 3, "context": 2048,
//         "check": [2], "load": {}, "generate": {}}'                   through the package's streaming API
//     node gemma.mjs '{..., "raw": true}'                              the engine alone, in this thread
// `load` and `generate` are further options of the API. `check` in the result is the greedy continuation of those ids.
import { PAGE_ROWS, pageLayerBytes } from "../../dist/backend/kv.js";
import { Engine } from "../../dist/engine/engine.js";
import { Gemma } from "../../dist/index.js";
import { groupWindows, kvLayout } from "../../dist/model/kv-layout.js";
import { loadModel } from "../../dist/runtime/model.js";
import { nodePlatform } from "../../dist/runtime/platform-node.js";
import { median, randomTokens } from "../lib/random-tokens.mjs";

const setup = JSON.parse(process.argv[2]);
const { model, threads, prefill, decode, repeat, context } = setup;
const CHECK_TOKENS = 8;
// Plain: what reads less or guesses ahead has rows of its own.
const settings = { contextLength: context, threads, screenHead: false, ...setup.load };

console.log(JSON.stringify(await (setup.raw ? runRaw() : runStreaming())));

/** As an application sees it: strings out of the worker, times taken where they arrive. */
async function runStreaming() {
  const start = performance.now();
  const gemma = await Gemma.load(model, settings);
  const loadMs = performance.now() - start;
  const { bosTokenId } = gemma.info.config;
  const measure = async (seed) => {
    const ids = randomTokens(bosTokenId, seed, prefill);
    const begin = performance.now();
    const generation = gemma.generate({ ids }, { ...greedy(decode + 1), ...setup.generate });
    let firstTokenMs = 0;
    for await (const _piece of generation) firstTokenMs ||= performance.now() - begin;
    const endMs = performance.now() - begin;
    const { timings } = await generation.result;
    // Decoding begins where the engine has the first token, which may be a part of a character and come with the next.
    return speeds(firstTokenMs, endMs - timings.firstTokenMs, timings.generatedTokens);
  };
  const result = await repeated(measure);
  const check = (await gemma.generate({ ids: setup.check }, greedy(CHECK_TOKENS)).result).ids;
  const { isa } = gemma.info.backend;
  await gemma.dispose();
  return { loadMs, ...result, peakRssBytes: process.resourceUsage().maxRSS * 1024, isa, check };
}

/** Ids in, ids out: no worker, no strings. Sampling and the scheduler are in it. */
async function runRaw() {
  const listener = { signal: new AbortController().signal, progress() {}, note() {} };
  const loaded = await loadModel({ model, ...settings }, nodePlatform(true), listener);
  const { parts, options } = loaded.engine;
  const engine = new Engine({ ...parts, tokenizer: null }, options);
  const generate = (ids, maxTokens, piece) =>
    new Promise((done, fail) => {
      engine.generate(ids, { ...greedy(maxTokens), ...setup.generate }, null, { piece, done, fail });
    });
  const result = await repeated(async (seed) => {
    let [firstTokenMs, lastTokenMs, count] = [0, 0, 0];
    const begin = performance.now();
    await generate(randomTokens(parts.config.bosTokenId, seed, prefill), decode + 1, () => {
      lastTokenMs = performance.now() - begin;
      if (count++ === 0) firstTokenMs = lastTokenMs;
    });
    return speeds(firstTokenMs, lastTokenMs - firstTokenMs, count);
  });
  const work = { stepBytes: stepBytes(parts, options.kv), tokenOperations: tokenOperations(parts.weights) };
  engine.dispose();
  return { ...result, ...work };
}

function greedy(maxTokens) {
  return { maxTokens, temperature: 0, ignoreEos: true, promptLookup: false };
}

function speeds(firstTokenMs, decodeMs, tokens) {
  if (tokens !== decode + 1) throw new Error(`gemma.ts ended behind ${tokens} tokens`);
  return {
    firstTokenMs,
    prefillTokensPerSecond: (prefill / firstTokenMs) * 1000,
    decodeTokensPerSecond: (decode / decodeMs) * 1000,
  };
}

/** Medians of the counted runs. */
async function repeated(measure) {
  await measure(0); // warms up, not counted
  const runs = [];
  for (let i = 1; i <= repeat; i++) runs.push(await measure(i));
  return Object.fromEntries(Object.keys(runs[0]).map((key) => [key, median(runs.map((run) => run[key]))]));
}

/** Those of the layers; norms have no packed size. */
function matrices(weights) {
  return weights.layers.flatMap((layer) => Object.values(layer).filter((weight) => weight?.sizeBytes > 0));
}

/** Bytes that a decode step in the middle of the measured ones reads: each packed weight once, and the cache. */
function stepBytes({ config, weights }, kv) {
  const weightBytes = [weights.embedding, ...matrices(weights)].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const windows = groupWindows(config);
  const layout = kvLayout(
    config,
    kv,
    windows.map(() => 1),
  );
  const position = prefill + (decode >> 1);
  const rows = layout.layerGroups.reduce((sum, group) => sum + Math.min(position, windows[group] ?? position), 0);
  return weightBytes + (rows * pageLayerBytes(layout)) / PAGE_ROWS;
}

/** Operations of a prompt token's matrix products, two a multiply-add; the head computes the last token alone. */
function tokenOperations(weights) {
  return matrices(weights).reduce((sum, { shape: [N, K] }) => sum + 2 * N * K, 0);
}
