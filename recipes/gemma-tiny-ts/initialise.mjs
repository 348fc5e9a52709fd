// Makes the model that the training begins with: a vocabulary learned from the prepared texts, and random weights.
//   node recipes/gemma-tiny-ts/initialise.mjs --data DIR --out DIR
// DIR of --data is what prepare.mjs wrote. Needs a build (npm run build).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeNewModel } from "../../dist/load/new-model.js";
import { defaultLayerTypes } from "../../dist/model/config.js";
import { trainVocabulary } from "../../dist/tokenizer/train-vocabulary.js";

/** Gemma 3, small: 3.6 million weights, 3.9 MB in Q8_0. */
const CONFIG = {
  generation: 3,
  vocabSize: 4096,
  hiddenSize: 192,
  intermediateSize: 640,
  numHiddenLayers: 6, // five that see 256 positions, and one that sees all
  numAttentionHeads: 3,
  numKeyValueHeads: 1,
  headDim: 64,
  rmsNormEps: 1e-6,
  maxPositionEmbeddings: 1024,
  ropeTheta: 1_000_000,
  ropeLocalTheta: 10_000,
  ropeScalingFactor: 1,
  queryPreAttnScalar: 64,
  attnLogitSoftcapping: null,
  finalLogitSoftcapping: null,
  slidingWindow: 256,
  layerTypes: defaultLayerTypes(3, 6),
  qkNorm: true,
  postNorms: true,
  bosTokenId: 2,
  eosTokenIds: [1],
};

const { values } = parseArgs({
  options: { data: { type: "string" }, out: { type: "string" }, seed: { type: "string", default: "0" } },
});
if (!values.data || !values.out) {
  process.stderr.write("usage: node recipes/gemma-tiny-ts/initialise.mjs --data DIR --out DIR [--seed N]\n");
  process.exit(2);
}
const lines = readFileSync(join(values.data, "train.jsonl"), "utf8").trimEnd().split("\n");
const texts = lines.map((line) => JSON.parse(line).text);
const began = performance.now();
const vocabulary = trainVocabulary(texts, { size: CONFIG.vocabSize });
console.log(`vocabulary: ${vocabulary.size} tokens in ${((performance.now() - began) / 1000).toFixed(1)} s`);
const chatTemplate = readFileSync(new URL("chat-template.jinja", import.meta.url), "utf8").trim();
await writeNewModel(values.out, CONFIG, vocabulary, { seed: Number(values.seed), chatTemplate });
console.log(`model: ${values.out}`);
