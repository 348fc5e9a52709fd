import { GemmaError } from "../base/errors.js";
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
import { type FileTree, type OpenFiles, readWhole, withFilesOf } from "./file-tree.js";

/** A checkpoint whose files are open and whose tensors are known to fit its configuration; no weight is loaded. */
export interface Checkpoint {
  /** The GGUF file, or the folder of a Hugging Face model. */
  readonly path: string;
  /** Where that lies. */
  readonly tree: FileTree;
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
  | { readonly kind: "sentencepiece" | "tokenizer.json"; readonly path: string; readonly tree: FileTree };

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
export function openCheckpointIn(tree: FileTree, path: string): Checkpoint {
  return withFilesOf(tree, (files) => {
    if (!tree.isFolder(path)) {
      const [folder, name] = [tree.dirname(path), tree.basename(path)];
      if (path.endsWith(".index.json")) return openFolder(tree, folder, { index: name }, files);
      if (path.endsWith(".safetensors")) return openFolder(tree, folder, { single: name }, files);
      return openGguf(tree, path, files);
    }
    const weights = folderWeights(tree, path);
    if ("gguf" in weights) return openGguf(tree, tree.join(path, weights.gguf), files);
    return openFolder(tree, path, weights, files);
  });
}

/** The checkpoint's vocabulary, checked. @throws ERR_MISSING_FILE without one, and what the vocabulary readers throw */
export function loadVocabulary(checkpoint: Pick<Checkpoint, "tokenizer" | "path">): Vocabulary {
  const { tokenizer, path } = checkpoint;
  if (tokenizer === null) {
    throw new GemmaError("ERR_MISSING_FILE", `${path}: must have a tokenizer.model or a tokenizer.json, got neither`);
  }
  if (tokenizer.kind === "gguf") return vocabularyFromGguf(tokenizer.metadata);
  const bytes = readWhole(tokenizer.tree, tokenizer.path, MAX_TOKENIZER_BYTES);
  return tokenizer.kind === "sentencepiece"
    ? vocabularyFromSentencePiece(bytes, tokenizer.path)
    : vocabularyFromTokenizerJson(bytes, tokenizer.path);
}

type FolderWeights = { readonly index: string } | { readonly single: string };

function openGguf(tree: FileTree, path: string, files: OpenFiles): Checkpoint {
  const { metadata, tensors } = parseGguf(files.open(path, "gguf"));
  const parts = metadata.get("split.count");
  if (typeof parts === "number" && parts > 1) {
    throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${path}: must be one file, got a GGUF split into ${parts}`, {
      hint: "join the parts with llama-gguf-split --merge",
    });
  }
  const config = parseGgufConfig(metadata, path); // after the parts: only the first of them has a configuration
  return {
    ...{ path, tree },
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

function openFolder(tree: FileTree, folder: string, weights: FolderWeights, files: OpenFiles): Checkpoint {
  const configPath = tree.join(folder, CONFIG);
  const { config, tiedHead, notes } = parseHfConfig(readWhole(tree, configPath, MAX_CONFIG_BYTES), configPath);
  const tables =
    "index" in weights
      ? openShards(tree, tree.join(folder, weights.index), files)
      : parseSafetensors(files.open(tree.join(folder, weights.single), "safetensors"));
  const sentencePiece = tree.join(folder, "tokenizer.model");
  const json = tree.join(folder, "tokenizer.json");
  return {
    ...{ path: folder, tree },
    naming: "hf",
    config,
    tensors: matchTensors(config, tables.tensors, { naming: "hf", tiedHead, where: folder }),
    allTensors: tables.tensors,
    metadata: tables.metadata,
    tokenizer: tree.exists(sentencePiece) // the same tokens, and read 20 times faster than the JSON form
      ? { kind: "sentencepiece", path: sentencePiece, tree }
      : tree.exists(json)
        ? { kind: "tokenizer.json", path: json, tree }
        : null,
    notes,
    close: () => files.close(),
  };
}

/** The tensors that an index lists, each in the shard that it names. */
export function openShards(tree: FileTree, path: string, files: OpenFiles) {
  const folder = tree.dirname(path);
  const shardOf = parseSafetensorsIndex(readWhole(tree, path, MAX_INDEX_BYTES), path);
  const shards = new Map<string, ReadonlyMap<string, TensorInfo>>();
  for (const shard of new Set(shardOf.values())) {
    shards.set(shard, parseSafetensors(files.open(tree.join(folder, shard), "safetensors")).tensors);
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [name, shard] of shardOf) {
    const info = shards.get(shard)?.get(name);
    if (info === undefined) {
      throw new GemmaError(
        "ERR_MISSING_TENSOR",
        `${tree.join(folder, shard)}: ${name} must be present, got no such tensor`,
      );
    }
    tensors.set(name, info);
  }
  return { tensors, metadata: new Map<string, string>() };
}

/** Which weights a folder has. A Hugging Face model comes first, then a single GGUF file. */
function folderWeights(tree: FileTree, folder: string): FolderWeights | { readonly gguf: string } {
  const names = tree.names(folder);
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
