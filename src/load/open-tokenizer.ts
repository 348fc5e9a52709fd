import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { disk, firstExisting } from "./files.js";
import { loadVocabulary, openCheckpoint, type TokenizerSource } from "./open.js";

/** The tokenizer of a model, or of a folder or file that has only a tokenizer. @throws ERR_MISSING_FILE */
export function openTokenizer(path: string): Tokenizer {
  const source = fileOf(path);
  if (source) return Tokenizer.fromVocabulary(loadVocabulary({ tokenizer: source, path }));
  const checkpoint = openCheckpoint(path);
  try {
    return Tokenizer.fromVocabulary(loadVocabulary(checkpoint));
  } finally {
    checkpoint.close();
  }
}

/** The tokenizer file that `path` is or contains, if any. */
function fileOf(path: string): TokenizerSource | null {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    throw fromSystemError(error, path);
  }
  const names = ["tokenizer.model", "tokenizer.json"];
  const file = isFolder ? firstExisting(names.map((name) => join(path, name))) : path;
  if (file === undefined || (!isFolder && !/\.(model|json)$/.test(file))) return null;
  if (file.endsWith(".index.json")) return null;
  if (basename(file) === "config.json") throw new GemmaError("ERR_USAGE", `${path}: name the folder or the tokenizer`);
  return { kind: file.endsWith(".json") ? "tokenizer.json" : "sentencepiece", path: file, tree: disk };
}
