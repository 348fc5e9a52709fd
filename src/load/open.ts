import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { parseGguf } from "../format/gguf.js";
import type { GgufValue } from "../format/gguf-values.js";
import { parseSafetensors } from "../format/safetensors.js";
import { parseSafetensorsIndex } from "../format/safetensors-index.js";
import type { TensorInfo } from "../format/tensor-info.js";
import type { GemmaConfig } from "../model/config.js";
import { parseGgufConfig } from "../model/config-gguf.js";
import { parseHfConfig } from "../model/config-hf.js";
import { type MatchedTensor, matchTensors } from "../model/match.js";
import type { Naming } from "../model/tensors.js";
import {
  type Vocabulary,
  vocabularyFromGguf,
  vocabularyFromSentencePiece,
  vocabularyFromTokenizerJson,
} from "../tokenizer/vocabulary.js";
import { firstExisting, type OpenFiles, readFile, withFiles } from "./files.js";

/** A checkpoint whose files are open and whose tensors are known to fit its configuration; no weight is loaded. */
export interface Checkpoint {
  /** The GGUF file, or the folder of a Hugging Face model. */
  readonly path: string;
  readonly naming: Naming;
  readonly config: GemmaConfig;
  /** What the model needs, for loadWeights. */
  readonly tensors: readonly MatchedTensor[];
  /** All tensors of the files, for inspection. */
  readonly allTensors: ReadonlyMap<string, TensorInfo>;
  /** Metadata of a GGUF file; the free text of a safetensors header. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** null: this checkpoint comes without a tokenizer. */
  readonly tokenizer: TokenizerSource | null;
  /** Lines for the user. */
  readonly notes: readonly string[];
  close(): void;
}

export type TokenizerSource =
  | { readonly kind: "gguf"; readonly metadata: ReadonlyMap<string, GgufValue> }
  | { readonly kind: "sentencepiece" | "tokenizer.json"; readonly path: string };

const MAX_CONFIG_BYTES = 1 << 20;
const MAX_INDEX_BYTES = 64 << 20;
const MAX_TOKENIZER_BYTES = 128 << 20;

const CONFIG = "config.json";
const INDEX = "model.safetensors.index.json";
const SINGLE = "model.safetensors";

/**
 * Opens a checkpoint: a GGUF file, or a Hugging Face model by its folder, its safetensors file or its index.
 * Everything that loading would check is checked, except the tokenizer (see loadVocabulary).
 *
 * @throws ERR_MISSING_FILE, ERR_FORBIDDEN_FORMAT, ERR_USAGE, and what the parsers, parseGgufConfig, parseHfConfig
 *   and matchTensors throw
 */
export function openCheckpoint(path: string): Checkpoint {
  return withFiles((files) => {
    if (!isFolder(path)) {
      if (path.endsWith(".index.json")) return openFolder(dirname(path), { index: basename(path) }, files);
      if (path.endsWith(".safetensors")) return openFolder(dirname(path), { single: basename(path) }, files);
      return openGguf(path, files);
    }
    const weights = folderWeights(path);
    return "gguf" in weights ? openGguf(join(path, weights.gguf), files) : openFolder(path, weights, files);
  });
}

/** The checkpoint's vocabulary, checked. @throws ERR_MISSING_FILE without one, and what the vocabulary readers throw */
export function loadVocabulary(checkpoint: Pick<Checkpoint, "tokenizer" | "path">): Vocabulary {
  const { tokenizer, path } = checkpoint;
  if (tokenizer === null) {
    throw new GemmaError("ERR_MISSING_FILE", `${path}: must have a tokenizer.model or a tokenizer.json, got neither`);
  }
  if (tokenizer.kind === "gguf") return vocabularyFromGguf(tokenizer.metadata);
  const bytes = readFile(tokenizer.path, MAX_TOKENIZER_BYTES);
  return tokenizer.kind === "sentencepiece"
    ? vocabularyFromSentencePiece(bytes, tokenizer.path)
    : vocabularyFromTokenizerJson(bytes, tokenizer.path);
}

type FolderWeights = { readonly index: string } | { readonly single: string };

function openGguf(path: string, files: OpenFiles): Checkpoint {
  const { metadata, tensors } = parseGguf(files.open(path, "gguf"));
  const parts = metadata.get("split.count");
  if (typeof parts === "number" && parts > 1) {
    throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${path}: must be one file, got a GGUF split into ${parts}`, {
      hint: "join the parts with llama-gguf-split --merge",
    });
  }
  const config = parseGgufConfig(metadata, path); // after the parts: only the first of them has a configuration
  return {
    path,
    naming: "gguf",
    config,
    tensors: matchTensors(config, tensors, { naming: "gguf", where: path }),
    allTensors: tensors,
    metadata,
    tokenizer: metadata.has("tokenizer.ggml.tokens") ? { kind: "gguf", metadata } : null,
    notes: [],
    close: () => files.close(),
  };
}

function openFolder(folder: string, weights: FolderWeights, files: OpenFiles): Checkpoint {
  const configPath = join(folder, CONFIG);
  const { config, tiedHead, notes } = parseHfConfig(readFile(configPath, MAX_CONFIG_BYTES), configPath);
  const tables =
    "index" in weights
      ? openShards(folder, weights.index, files)
      : parseSafetensors(files.open(join(folder, weights.single), "safetensors"));
  const sentencePiece = firstExisting([join(folder, "tokenizer.model")]);
  const json = firstExisting([join(folder, "tokenizer.json")]);
  return {
    path: folder,
    naming: "hf",
    config,
    tensors: matchTensors(config, tables.tensors, { naming: "hf", tiedHead, where: folder }),
    allTensors: tables.tensors,
    metadata: tables.metadata,
    tokenizer: sentencePiece // the same tokens, and read 20 times faster than the JSON form
      ? { kind: "sentencepiece", path: sentencePiece }
      : json
        ? { kind: "tokenizer.json", path: json }
        : null,
    notes,
    close: () => files.close(),
  };
}

/** The tensors that an index lists, each in the shard that it names. */
export function openShards(folder: string, index: string, files: OpenFiles) {
  const path = join(folder, index);
  const shardOf = parseSafetensorsIndex(readFile(path, MAX_INDEX_BYTES), path);
  const shards = new Map<string, ReadonlyMap<string, TensorInfo>>();
  for (const shard of new Set(shardOf.values())) {
    shards.set(shard, parseSafetensors(files.open(join(folder, shard), "safetensors")).tensors);
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [name, shard] of shardOf) {
    const info = shards.get(shard)?.get(name);
    if (info === undefined) {
      throw new GemmaError("ERR_MISSING_TENSOR", `${join(folder, shard)}: ${name} must be present, got no such tensor`);
    }
    tensors.set(name, info);
  }
  return { tensors, metadata: new Map<string, string>() };
}

/** Which weights a folder has. A Hugging Face model comes first, then a single GGUF file. */
function folderWeights(folder: string): FolderWeights | { readonly gguf: string } {
  const names = namesIn(folder);
  if (names.includes(INDEX)) return { index: INDEX };
  if (names.includes(SINGLE)) return { single: SINGLE };
  const ggufs = names.filter((name) => name.endsWith(".gguf")).sort();
  if (ggufs.length === 1) return { gguf: ggufs[0]! };
  if (ggufs.length > 1) {
    throw new GemmaError("ERR_USAGE", `${folder}: must have one GGUF file, got ${ggufs.length}: name one of them`, {
      hint: ggufs.slice(0, 5).join(", "),
    });
  }
  const pickle = names.find((name) => /\.(bin|pt|pth|ckpt)$/.test(name));
  if (pickle !== undefined) {
    throw new GemmaError(
      "ERR_FORBIDDEN_FORMAT",
      `${folder}: weights must be safetensors or GGUF, got ${pickle}, a pickle that can run code when it is read`,
      { hint: "save the model again with safe_serialization=True" },
    );
  }
  throw new GemmaError("ERR_MISSING_FILE", `${folder}: must have ${SINGLE}, ${INDEX} or a GGUF file, got none`);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw fromSystemError(error, folder);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw fromSystemError(error, path);
  }
}
