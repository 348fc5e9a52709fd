// What both sides of a tuning benchmark are given: batches of text, an adapter to begin with, the weights as Hugging Face
// folders.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { seededRng } from "../../dist/base/rng.js";
import { safetensorsFile } from "../../dist/format/safetensors-write.js";
import { writeModelFolder } from "../../dist/load/export-folder.js";
import { openCheckpoint } from "../../dist/load/open.js";
import { openTokenizer } from "../../dist/load/open-tokenizer.js";
import { PROJECTIONS } from "../../dist/model/adapter.js";
import { peftModule } from "../../dist/model/adapter-peft.js";
import { expectedTensors } from "../../dist/model/tensors.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const WORK = `${root}build/bench/`;

/** The weights of `path` as a folder for transformers, made once. @returns its path */
export async function hfFolder(path, name, dtype) {
  const folder = `${WORK}${name}-${dtype.toLowerCase()}`;
  if (existsSync(folder)) return folder;
  console.error(`writing ${folder}`);
  mkdirSync(WORK, { recursive: true });
  const checkpoint = openCheckpoint(path);
  await writeModelFolder(folder, checkpoint, () => undefined, { dtype });
  checkpoint.close();
  return folder;
}

/** A file of `count` batches of `size` sequences of `length` ids, each <bos> and then text of this repository's documents. */
export function writeBatches(path, { count, size, length }) {
  const tokenizer = openTokenizer(path);
  const docs = `${root}docs/`;
  const names = readdirSync(docs).filter((name) => name.endsWith(".md"));
  const text = names.sort().map((name) => readFileSync(docs + name, "utf8"));
  const ids = [...tokenizer.encode(text.join("\n"))];
  const needed = count * size * (length - 1);
  if (ids.length < needed) throw new Error(`docs/ must have ${needed} tokens, got ${ids.length}: take fewer steps`);
  const sequence = (i) => [tokenizer.bosId, ...ids.slice(i * (length - 1), (i + 1) * (length - 1))];
  const batch = (_, b) => Array.from({ length: size }, (_, s) => sequence(b * size + s));
  return written("batches.json", JSON.stringify(Array.from({ length: count }, batch)));
}

/** Batches of random ids, for models without text. */
export function writeRandomBatches(vocabSize, { count, size, length }) {
  const rng = seededRng(1);
  const sequence = () => Array.from({ length }, (_, i) => (i === 0 ? 2 : rng.integer(vocabSize)));
  const batch = () => Array.from({ length: size }, sequence);
  return written("random-batches.json", JSON.stringify(Array.from({ length: count }, batch)));
}

/**
 * A PEFT adapter for all linear layers: A uniform as PEFT draws it, B zero as in a fresh one, or uniform up to `size`.
 * @returns its folder
 */
export async function writeAdapter(config, rank, size = 0) {
  const folder = `${WORK}adapter-r${rank}-${config.hiddenSize}-${config.numHiddenLayers}${size > 0 ? "-random" : ""}`;
  mkdirSync(folder, { recursive: true });
  const rng = seededRng(0);
  const tensors = [];
  const f32 = (name, shape, value) => {
    const data = () => [new Uint8Array(Float32Array.from({ length: shape[0] * shape[1] }, value).buffer)];
    tensors.push({ name: `base_model.model.model.${name}.weight`, dtype: "F32", shape, data });
  };
  const modules = PROJECTIONS.map(peftModule);
  for (const { storedName, shape } of expectedTensors(config, "hf")) {
    const path = storedName.replace(".weight", "");
    if (!modules.some((module) => path.endsWith(module))) continue;
    const bound = 1 / Math.sqrt(shape[1]); // kaiming_uniform_ with a = sqrt(5)
    f32(`${path}.lora_A`, [rank, shape[1]], () => rng.between(-bound, bound));
    f32(`${path}.lora_B`, [shape[0], rank], () => (size > 0 ? rng.between(-size, size) : 0));
  }
  const slices = [];
  for await (const slice of safetensorsFile(tensors, new Map([["format", "pt"]]))) slices.push(slice);
  writeFileSync(`${folder}/adapter_model.safetensors`, Buffer.concat(slices));
  writeFileSync(`${folder}/adapter_config.json`, JSON.stringify(peftConfig(rank, modules)));
  return folder;
}

function peftConfig(rank, modules) {
  const target_modules = modules.map((module) => module.split(".").at(-1));
  const kind = { peft_type: "LORA", task_type: "CAUSAL_LM", base_model_name_or_path: "base" };
  return { ...kind, r: rank, lora_alpha: 2 * rank, lora_dropout: 0, bias: "none", target_modules };
}

function written(name, text) {
  mkdirSync(WORK, { recursive: true });
  writeFileSync(WORK + name, text);
  return WORK + name;
}
