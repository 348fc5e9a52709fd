import { join, resolve } from "node:path";
import { replaceFolder } from "../disk/durable.js";
import { safetensorsFile } from "../format/safetensors-write.js";
import { checkConfig } from "../model/check-config.js";
import type { GemmaConfig } from "../model/config.js";
import { initialWeights } from "../model/initial-weights.js";
import type { Vocabulary } from "../tokenizer/vocabulary.js";
import { madeFiles } from "./companion-files.js";
import { expectTarget, writeWhole } from "./write-whole.js";

export interface NewModelOptions {
  /** Of the first weights: integer in 0..2^53-1. Default: 0. */
  readonly seed?: number;
  /** Makes `gemma chat` write turns. Default: none, as pre-trained models have none. */
  readonly chatTemplate?: string;
  /** Replace what has the folder's name. Default: false. */
  readonly replace?: boolean;
}

/**
 * Writes a model that has learned nothing, to be trained with the method "full": a Hugging Face folder with first weights in
 * f32, configuration and tokenizer. The vocabulary's size and its special tokens go before those of `config`.
 *
 * @param path a new folder in one that exists
 * @returns the configuration as written
 * @throws ERR_INVALID_VALUE for sizes that do not fit each other, ERR_USAGE when `path` exists, ERR_DISK_FULL, ERR_IO
 */
export async function writeNewModel(
  path: string,
  config: GemmaConfig,
  vocabulary: Vocabulary,
  { seed = 0, chatTemplate, replace = false }: NewModelOptions = {},
): Promise<GemmaConfig> {
  const { size, bosId, eosIds } = vocabulary;
  const own = { vocabSize: size, eosTokenIds: eosIds, ...(bosId === undefined ? {} : { bosTokenId: bosId }) };
  const written = checkConfig({ ...config, ...own }, path);
  const files = madeFiles(written, "F32", vocabulary, chatTemplate ?? null);
  const tensors = initialWeights(written, seed).map(({ storedName, shape, values }) => ({
    name: `model.${storedName}`,
    dtype: "F32",
    shape,
    data: () => [new Uint8Array(values().buffer)],
  }));
  const numbers = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  await expectTarget(path, 4 * numbers, replace);
  await replaceFolder(resolve(path), async (folder) => {
    for (const { name, data } of files) await writeWhole(join(folder, name), data());
    const metadata = new Map([["format", "pt"]]); // transformers refuses a file that does not say so
    await writeWhole(join(folder, "model.safetensors"), safetensorsFile(tensors, metadata));
  });
  return written;
}
