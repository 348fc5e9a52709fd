import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { parseGguf } from "../format/gguf.js";
import type { GgufValue } from "../format/gguf-values.js";
import { parseSafetensors } from "../format/safetensors.js";
import type { TensorInfo } from "../format/tensor-info.js";
import type { PeftAdapter } from "../model/adapter-peft.js";
import type { GemmaConfig } from "../model/config.js";
import type { MatchedTensor } from "../model/match.js";
import { HF_PREFIXES } from "../model/tensors.js";
import { type Vocabulary, vocabularyFromGguf } from "../tokenizer/vocabulary.js";
import { openShards } from "./checkpoint.js";
import { dialogueOf } from "./dialogue.js";
import { disk, withFiles } from "./files.js";
import { loadVocabulary, openCheckpoint } from "./open.js";
import { openAdapter } from "./open-adapter.js";
import { openTokenizer } from "./open-tokenizer.js";

/** What a path holds. All that loading would check was checked; its files are closed again. */
export interface Inspection {
  /** "container": a sound file of tensors or metadata that does not claim to be a model. */
  readonly kind: "model" | "adapter" | "tokenizer" | "container";
  readonly format: "gguf" | "safetensors" | "tokenizer";
  readonly path: string;
  /** Of a GGUF file, or the free text of a safetensors header. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Of a model. */
  readonly model: { readonly config: GemmaConfig; readonly tensors: readonly MatchedTensor[] } | null;
  /** Of an adapter. */
  readonly adapter: PeftAdapter | null;
  readonly vocabulary: Vocabulary | null;
  /** Lines for people. */
  readonly notes: readonly string[];
}

const NOTHING = {
  metadata: new Map<string, GgufValue>(),
  tensors: new Map<string, TensorInfo>(),
  model: null,
  adapter: null,
  vocabulary: null,
  notes: [],
};

/** A safetensors file of this name is a model when a config.json lies beside it, and so is one that holds embeddings. */
const MODEL_FILE = "model.safetensors";
/** One of several files of a model: no model of its own. */
const SHARD = /-\d{5}-of-\d{5}\.safetensors$/;
const ADAPTER_CONFIG = "adapter_config.json";

/**
 * Checks a GGUF file, a safetensors file, an index, a model folder, an adapter folder or a tokenizer. A GGUF file
 * without tensors or without an architecture, and a safetensors file or index that has no config.json beside it or is
 * a part of a model, is checked as a container.
 *
 * @param base the model that an adapter belongs to
 * @throws ERR_USAGE for an adapter without a base, and what openCheckpoint, loadVocabulary and openAdapter throw
 */
export function inspectPath(path: string, base?: string): Inspection {
  if (base !== undefined) return inspectAdapter(path, base);
  const { isFolder, names } = lookAt(path);
  if (isFolder) {
    const isModel = names.some((name) => name === "config.json" || /\.(gguf|safetensors|bin|pt|pth|ckpt)$/.test(name));
    if (names.includes(ADAPTER_CONFIG) && !names.includes("config.json")) {
      throw new GemmaError("ERR_USAGE", `${path}: an adapter must be checked against its base, got no --base`, {
        hint: `gemma inspect ${path} --base MODEL`,
      });
    }
    const hasTokenizer = names.includes("tokenizer.json") || names.includes("tokenizer.model");
    return hasTokenizer && !isModel ? inspectTokenizer(path) : inspectModel(path);
  }
  const hasConfig = existsSync(join(dirname(path), "config.json"));
  if (path.endsWith(".index.json")) return hasConfig ? inspectModel(path) : inspectIndex(path);
  if (path.endsWith(".safetensors")) {
    if (hasConfig && basename(path) === MODEL_FILE) return inspectModel(path);
    const container = inspectSafetensors(path);
    const hasEmbeddings = HF_PREFIXES.some((prefix) => container.tensors.has(`${prefix}embed_tokens.weight`));
    const isModel = hasConfig && hasEmbeddings && !SHARD.test(path);
    return isModel ? inspectModel(path) : container;
  }
  return /\.(json|model)$/.test(path) ? inspectTokenizer(path) : inspectGguf(path);
}

function lookAt(path: string): { isFolder: boolean; names: readonly string[] } {
  try {
    return statSync(path).isDirectory() ? { isFolder: true, names: readdirSync(path) } : { isFolder: false, names: [] };
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

function inspectModel(path: string): Inspection {
  const checkpoint = openCheckpoint(path);
  try {
    const { config, tensors, allTensors, metadata, naming, notes } = checkpoint;
    const vocabulary = checkpoint.tokenizer === null ? null : loadVocabulary(checkpoint);
    dialogueOf(checkpoint); // a chat template that is no text
    return {
      ...NOTHING,
      kind: "model",
      format: naming === "gguf" ? "gguf" : "safetensors",
      ...{ path, metadata, vocabulary, tensors: allTensors, model: { config, tensors } },
      notes: vocabulary ? notes : [...notes, "no tokenizer: only token ids go in and out"],
    };
  } finally {
    checkpoint.close();
  }
}

function inspectGguf(path: string): Inspection {
  const container = withFiles((files) => {
    const { metadata, tensors } = parseGguf(files.open(path, "gguf"));
    files.close();
    return tensors.size === 0 || !metadata.has("general.architecture") ? { metadata, tensors } : null;
  });
  if (container === null) return inspectModel(path);
  const { metadata, tensors } = container;
  return {
    ...NOTHING,
    ...{ kind: "container", format: "gguf", path, metadata, tensors },
    vocabulary: metadata.has("tokenizer.ggml.tokens") ? vocabularyFromGguf(metadata) : null,
    notes: [`a GGUF container without ${tensors.size === 0 ? "tensors" : "an architecture"}: no model`],
  };
}

function inspectSafetensors(path: string): Inspection {
  return withFiles((files) => {
    const { tensors, metadata } = parseSafetensors(files.open(path, "safetensors"));
    files.close();
    const notes = ["checked as a container; a model is checked by its folder"];
    return { ...NOTHING, kind: "container", format: "safetensors", path, metadata, tensors, notes };
  });
}

function inspectIndex(path: string): Inspection {
  return withFiles((files) => {
    const { tensors } = openShards(disk, path, files);
    files.close();
    const notes = ["no config.json beside it: checked as a container"];
    return { ...NOTHING, kind: "container", format: "safetensors", path, tensors, notes };
  });
}

function inspectTokenizer(path: string): Inspection {
  return { ...NOTHING, kind: "tokenizer", format: "tokenizer", path, vocabulary: openTokenizer(path).vocabulary };
}

function inspectAdapter(path: string, base: string): Inspection {
  const checkpoint = openCheckpoint(base);
  checkpoint.close();
  const { adapter, tensors, metadata, close } = openAdapter(path, checkpoint.config);
  close();
  return { ...NOTHING, kind: "adapter", format: "safetensors", path, adapter, tensors, metadata };
}
