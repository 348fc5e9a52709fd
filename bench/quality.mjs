// Mean negative log-likelihood of a model on text: with 8-bit activations, with an 8-bit cache beside them, and how far
// each is from f32.
//   npm run bench:quality -- --text DIR [--model M] [--tokens N] [--threads N] [--json]
// Each .txt file of DIR is cut into chunks of 511 tokens that do not overlap, one BOS in front of each: 511 tokens are
// scored a chunk, given those before them in the chunk. --tokens limits the sum over all files; each gives the same
// share, from its start. The f32 path is held to transformers by test/real/fidelity.test.ts.
import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Gemma } from "../dist/index.js";

const CHUNK = 512; // tokens with the BOS
/** What is compared with f32: options of the load, and how much of the mean NLL in f32 it may cost. */
const FAST = {
  int8: { label: "8-bit activations", options: { activations: "int8" }, limit: 0.003 },
  kv8: { label: "8-bit activations and KV", options: { activations: "int8", kv: "int8" }, limit: 0.005 },
};

const { values } = parseArgs({
  options: {
    text: { type: "string" },
    model: { type: "string", default: "gemma-3-270m" },
    tokens: { type: "string", default: "16384" },
    threads: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const tokenLimit = Number(values.tokens);
if (values.text === undefined || !(tokenLimit >= 1)) {
  console.error("usage: npm run bench:quality -- --text DIR [--model M] [--tokens N] [--threads N] [--json]");
  process.exit(2);
}
const files = readdirSync(values.text).filter((name) => name.endsWith(".txt"));
if (files.length === 0) throw new Error(`${values.text} has no .txt files`);

const options = { contextLength: CHUNK, ...(values.threads ? { threads: Number(values.threads) } : {}) };
const models = { f32: await Gemma.load(values.model, { ...options, activations: "f32" }) };
for (const [kind, fast] of Object.entries(FAST)) {
  models[kind] = await Gemma.load(values.model, { ...options, ...fast.options });
}
const kinds = Object.keys(models);

const results = [];
for (const file of files) results.push({ file, ...(await measure(file)) });
const tokens = results.reduce((sum, result) => sum + result.tokens, 0);
const means = kinds.map((kind) => [kind, results.reduce((sum, r) => sum + r[kind] * r.tokens, 0) / tokens]);
const total = { file: "all", tokens, ...Object.fromEntries(means) };
await Promise.all(Object.values(models).map((gemma) => gemma.dispose()));

const difference = (result, kind) => result[kind] / result.f32 - 1;
const verdicts = Object.entries(FAST).map(([kind, { label, limit }]) => {
  const cost = difference(total, kind);
  return { kind, label, limit, difference: cost, isGood: Math.abs(cost) <= limit };
});
const { backend, name } = models.int8.info;
if (values.json) {
  console.log(JSON.stringify({ model: name, isa: backend.isa, chunk: CHUNK, files: results, total, verdicts }));
} else {
  console.log(`${name} on ${cpus()[0]?.model} (${backend.isa}), chunks of ${CHUNK} tokens, nats a token`);
  console.log("tokens  f32      int8     difference  and KV   difference");
  for (const result of [...results, total]) {
    const fast = Object.keys(FAST).flatMap((kind) => [
      result[kind].toFixed(5),
      percent(difference(result, kind)).padEnd(10),
    ]);
    console.log([String(result.tokens).padStart(6), result.f32.toFixed(5), ...fast, result.file].join("  "));
  }
  for (const { label, limit, difference: cost, isGood } of verdicts) {
    console.log(`${isGood ? "ok" : "FAILED"}: ${label} ${percent(cost)}, bar ${percent(limit)}`);
  }
}
process.exitCode = verdicts.every(({ isGood }) => isGood) ? 0 : 1;

/** Mean NLL of a file's first tokens, of each model. */
async function measure(file) {
  const ids = await models.f32.encode(readFileSync(join(values.text, file), "utf8"));
  const bos = models.f32.info.config.bosTokenId;
  const share = Math.min(ids.length, Math.max(CHUNK - 1, Math.floor(tokenLimit / files.length)));
  const sums = Object.fromEntries(kinds.map((kind) => [kind, 0]));
  let scored = 0;
  for (let start = 0; start + CHUNK - 1 <= share; start += CHUNK - 1) {
    const chunk = { ids: [bos, ...ids.slice(start, start + CHUNK - 1)] };
    for (const [kind, gemma] of Object.entries(models)) {
      const { logprobs } = await gemma.score(chunk);
      for (const token of logprobs) sums[kind] -= token?.logprob ?? 0;
    }
    scored += CHUNK - 1;
    if (process.stderr.isTTY) process.stderr.write(`\r${file}: ${scored} of ${share} tokens `);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  if (scored === 0) throw new Error(`${file}: must have ${CHUNK - 1} tokens at least, got ${ids.length}`);
  return { tokens: scored, ...Object.fromEntries(kinds.map((kind) => [kind, sums[kind] / scored])) };
}

function percent(fraction) {
  return `${fraction > 0 ? "+" : ""}${(100 * fraction).toFixed(3)} %`;
}
