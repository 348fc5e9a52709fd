// Mean negative log-likelihood of a model on text, with int8 and with f32 activations, and how far they are apart.
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
const LIMIT = 0.005; // of the mean NLL in f32

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
const models = {
  int8: await Gemma.load(values.model, { ...options, activations: "int8" }),
  f32: await Gemma.load(values.model, { ...options, activations: "f32" }),
};

const results = [];
for (const file of files) results.push({ file, ...(await measure(file)) });
const total = { file: "all", tokens: 0, int8: 0, f32: 0 };
for (const { tokens, int8, f32 } of results) {
  total.tokens += tokens;
  total.int8 += int8 * tokens;
  total.f32 += f32 * tokens;
}
total.int8 /= total.tokens;
total.f32 /= total.tokens;
const difference = total.int8 / total.f32 - 1;
const isGood = Math.abs(difference) <= LIMIT;
await Promise.all(Object.values(models).map((gemma) => gemma.dispose()));

const { backend, name } = models.int8.info;
if (values.json) {
  console.log(JSON.stringify({ model: name, isa: backend.isa, chunk: CHUNK, files: results, total, difference }));
} else {
  console.log(`${name} on ${cpus()[0]?.model} (${backend.isa}), chunks of ${CHUNK} tokens, nats a token`);
  console.log("tokens   int8     f32      difference");
  for (const { file, tokens, int8, f32 } of [...results, total]) {
    const columns = [String(tokens).padStart(6), int8.toFixed(5), f32.toFixed(5), percent(int8 / f32 - 1)];
    console.log(`${columns.join("  ")}  ${file}`);
  }
  console.log(`${isGood ? "ok" : "FAILED"}: within ${percent(LIMIT)} of f32`);
}
process.exitCode = isGood ? 0 : 1;

/** Mean NLL of a file's first tokens, of each model. */
async function measure(file) {
  const ids = await models.f32.encode(readFileSync(join(values.text, file), "utf8"));
  const bos = models.f32.info.config.bosTokenId;
  const share = Math.min(ids.length, Math.max(CHUNK - 1, Math.floor(tokenLimit / files.length)));
  const sums = { int8: 0, f32: 0 };
  let tokens = 0;
  for (let start = 0; start + CHUNK - 1 <= share; start += CHUNK - 1) {
    const chunk = { ids: [bos, ...ids.slice(start, start + CHUNK - 1)] };
    for (const [kind, gemma] of Object.entries(models)) {
      const { logprobs } = await gemma.score(chunk);
      for (const scored of logprobs) sums[kind] -= scored?.logprob ?? 0;
    }
    tokens += CHUNK - 1;
    if (process.stderr.isTTY) process.stderr.write(`\r${file}: ${tokens} of ${share} tokens `);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  if (tokens === 0) throw new Error(`${file}: must have ${CHUNK - 1} tokens at least, got ${ids.length}`);
  return { tokens, int8: sums.int8 / tokens, f32: sums.f32 / tokens };
}

function percent(fraction) {
  return `${fraction > 0 ? "+" : ""}${(100 * fraction).toFixed(3)} %`;
}
