import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fromSystemError } from "../base/errors.js";
import type { GemmaConfig } from "../model/config.js";
import { hfConfig } from "../model/config-hf-write.js";
import { TEMPLATE_FILE } from "../tokenizer/gemma-template.js";
import type { Vocabulary } from "../tokenizer/vocabulary.js";
import { sentencePieceBytes } from "../tokenizer/write-sentencepiece.js";
import { tokenizerJson } from "../tokenizer/write-tokenizer-json.js";
import { chatTemplate } from "./dialogue.js";
import type { FolderDtype } from "./export-folder.js";
import { readFile } from "./files.js";
import { type Checkpoint, loadVocabulary } from "./open.js";

/** A file of a model's folder that holds no weights. */
export interface CompanionFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly data: () => Iterable<Uint8Array>;
}

/** What Hugging Face models have beside their weights. Other files, code among them, are not taken along. */
const COPIED = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer.model",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  TEMPLATE_FILE,
  "chat_template.json",
  "preprocessor_config.json",
  "processor_config.json",
];
const MAX_BYTES = 128 << 20;
const DTYPE_NAMES = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

interface CompanionOptions {
  /** The new type of all weights, if it changes. */
  readonly dtype: FolderDtype | undefined;
  /** For a base that has no chat template of its own. */
  readonly addedTemplate: string | null;
}

/**
 * The files beside the weights. A folder's are copied; a GGUF file's are made from its metadata, the tokenizer both as
 * tokenizer.model and as tokenizer.json.
 * @throws ERR_MISSING_KEY, ERR_UNSUPPORTED_OPTION for a tokenizer that cannot be written, and what reading it throws
 */
export function companionFiles(base: Checkpoint, { dtype, addedTemplate }: CompanionOptions): CompanionFile[] {
  const own = chatTemplate(base);
  if (base.naming === "hf") {
    const files = copies(base.path, dtype);
    if (own !== null || addedTemplate === null) return files;
    return [...files, inMemory(TEMPLATE_FILE, [encoder.encode(addedTemplate)])];
  }
  const vocabulary = base.tokenizer === null ? null : loadVocabulary(base);
  return madeFiles(base.config, dtype ?? "BF16", vocabulary, own ?? addedTemplate);
}

/** The files beside the weights of a model that has none of them yet. @throws what companionFiles throws */
export function madeFiles(
  config: GemmaConfig,
  dtype: FolderDtype,
  vocabulary: Vocabulary | null,
  template: string | null,
): CompanionFile[] {
  const files = [inMemory("config.json", toJson(hfConfig(config, DTYPE_NAMES[dtype], vocabulary?.padId)))];
  if (vocabulary === null) return files;
  files.push(inMemory("tokenizer_config.json", toJson(tokenizerConfig(vocabulary, template))));
  files.push(
    inMemory(
      "tokenizer.json",
      [...tokenizerJson(vocabulary)].map((text) => encoder.encode(text)),
    ),
  );
  if (vocabulary.unkId !== undefined) files.push(inMemory("tokenizer.model", [sentencePieceBytes(vocabulary)]));
  return files;
}

function copies(folder: string, dtype: FolderDtype | undefined): CompanionFile[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw fromSystemError(error, folder);
  }
  return COPIED.filter((name) => names.includes(name)).map((name) => {
    const bytes = readFile(join(folder, name), MAX_BYTES);
    return inMemory(name, [name === "config.json" && dtype !== undefined ? withDtype(bytes, dtype) : bytes]);
  });
}

/** The configuration with another type of weights, under both names that transformers has had for it. */
function withDtype(bytes: Uint8Array, dtype: FolderDtype): Uint8Array {
  const config = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>; // parseHfConfig has read it
  const parts = [config, config.text_config].filter((part) => typeof part === "object" && part !== null);
  for (const part of parts as Record<string, unknown>[]) {
    for (const key of ["torch_dtype", "dtype"]) if (key in part) part[key] = DTYPE_NAMES[dtype];
  }
  if (!("dtype" in config)) config.torch_dtype = DTYPE_NAMES[dtype];
  return toJson(config)[0]!;
}

function tokenizerConfig(vocabulary: Vocabulary, template: string | null): Record<string, unknown> {
  const decoder = new TextDecoder();
  const named = (key: string, id: number | undefined) => {
    if (id === undefined) return {};
    const { bytes, starts } = vocabulary;
    return { [key]: decoder.decode(bytes.subarray(starts[id], starts[id + 1])) };
  };
  return {
    tokenizer_class: "GemmaTokenizer",
    add_bos_token: vocabulary.addBos,
    add_eos_token: false,
    ...named("bos_token", vocabulary.bosId),
    ...named("eos_token", vocabulary.eosIds[0]),
    ...named("unk_token", vocabulary.unkId),
    ...named("pad_token", vocabulary.padId),
    clean_up_tokenization_spaces: false,
    ...(template === null ? {} : { chat_template: template }),
  };
}

const encoder = new TextEncoder();

function toJson(value: object): [Uint8Array] {
  return [encoder.encode(`${JSON.stringify(value, null, 2)}\n`)];
}

function inMemory(name: string, slices: readonly Uint8Array[]): CompanionFile {
  return { name, sizeBytes: slices.reduce((sum, slice) => sum + slice.length, 0), data: () => slices };
}
