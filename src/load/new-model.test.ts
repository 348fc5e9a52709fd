import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TunableModel } from "../../test/helpers/tunable-model.js";
import { defaultLayerTypes, type GemmaConfig } from "../model/config.js";
import { gemma2b, gemma3_270m } from "../model/variants.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { trainVocabulary } from "../tokenizer/train-vocabulary.js";
import { writeNewModel } from "./new-model.js";
import { loadVocabulary, openCheckpoint } from "./open.js";

const vocabulary = trainVocabulary(["ein Text, a text; a few words"], { size: 300, coverage: 1 });
const config: GemmaConfig = {
  ...gemma3_270m,
  ...{ hiddenSize: 32, intermediateSize: 64, numHiddenLayers: 3, layerTypes: defaultLayerTypes(3, 3, 3) },
  ...{ numAttentionHeads: 2, numKeyValueHeads: 1, headDim: 16, queryPreAttnScalar: 16, slidingWindow: 8 },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gemma-new-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a new model opens as what it was written as, with its tokenizer", async () => {
  const path = join(folder, "new");
  const written = await writeNewModel(path, config, vocabulary, { seed: 1 });
  const checkpoint = openCheckpoint(path);
  const { size } = vocabulary;
  expect(written).toEqual({ ...config, vocabSize: size, eosTokenIds: [1, 6] });
  expect(checkpoint.config).toEqual(written);
  const text = "ein Text: 12 words";
  const ids = Tokenizer.fromVocabulary(loadVocabulary(checkpoint)).encode(text);
  expect(ids).toEqual(Tokenizer.fromVocabulary(vocabulary).encode(text));
  checkpoint.close();
});

test("knows nothing: every token is about as likely as any other", async () => {
  const path = join(folder, "flat");
  for (const generation of [config, { ...gemma2b, ...sizesOf(config), layerTypes: defaultLayerTypes(1, 3) }]) {
    await writeNewModel(path, generation, vocabulary, { seed: 2, replace: true });
    const model = await TunableModel.open(path);
    const { trainer } = model.full();
    const ids = Int32Array.of(2, ...Tokenizer.fromVocabulary(vocabulary).encode("a few words, ein Text"));
    const isTarget = new Uint8Array(ids.length).fill(1, 1);
    const [logProb] = await trainer.logProbs([{ ids, isTarget, targets: ids.length - 1 }], null);
    expect(Math.abs(-logProb! / (ids.length - 1) - Math.log(vocabulary.size))).toBeLessThan(0.5);
    model.be.dispose();
  }
});

test("the same seed gives the same weights, another one others", async () => {
  const read = async (seed: number) => {
    const path = join(folder, `seed-${seed}`);
    await writeNewModel(path, config, vocabulary, { seed, replace: true });
    const checkpoint = openCheckpoint(path);
    const bytes = checkpoint.tensors.map(({ info }) => Buffer.from(info.source.read(info.offset, info.sizeBytes)));
    checkpoint.close();
    return Buffer.concat(bytes);
  };
  const first = await read(3);
  expect(first.equals(await read(3))).toBe(true);
  expect(first.equals(await read(4))).toBe(false);
});

test("refuses sizes that do not fit each other, and a folder that is there", async () => {
  const odd = { ...config, numAttentionHeads: 3, numKeyValueHeads: 2 };
  await expect(writeNewModel(join(folder, "odd"), odd, vocabulary)).rejects.toMatchObject({
    code: "ERR_INVALID_VALUE",
  });
  await expect(writeNewModel(folder, config, vocabulary)).rejects.toMatchObject({ code: "ERR_USAGE" });
});

function sizesOf({
  hiddenSize,
  intermediateSize,
  numHiddenLayers,
  numAttentionHeads,
  numKeyValueHeads,
  headDim,
}: GemmaConfig) {
  return {
    hiddenSize,
    intermediateSize,
    numHiddenLayers,
    numAttentionHeads,
    numKeyValueHeads,
    headDim,
    queryPreAttnScalar: headDim,
  };
}
