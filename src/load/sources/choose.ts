import { GemmaError } from "../../base/errors.js";
import { isFileName } from "../names.js";

/** What a model or adapter folder may hold beside weights. Pickles (.bin, .pt) are never fetched. */
const FOLDER_FILES = new Set([
  "config.json",
  "generation_config.json",
  "tokenizer.model",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "adapter_config.json",
]);

/** `consolidated.safetensors` and the like are second copies of the same weights. */
const WEIGHTS = /^(model|adapter_model)(-\d+-of-\d+)?\.safetensors(\.index\.json)?$/;

/** Whether a file of this name can belong to a model or adapter that this package loads. */
export function isModelFile(name: string): boolean {
  return FOLDER_FILES.has(name) || WEIGHTS.test(name) || name.endsWith(".gguf");
}

/**
 * The files to fetch of a repository: those of its safetensors model folder, else its only GGUF file.
 *
 * @param files every path is made of plain file names; only those at the top can belong to a model folder
 * @param nameOne tells how to name one file of several, for the hint
 * @throws ERR_USAGE when there are several GGUF files, ERR_MISSING_FILE when there are no weights
 */
export function chooseFiles<T extends { readonly path: string }>(
  files: readonly T[],
  where: string,
  nameOne: (path: string) => string,
): readonly T[] {
  const top = files.filter((file) => isFileName(file.path));
  const weights = top.filter((file) => WEIGHTS.test(file.path));
  if (weights.length > 0) return [...top.filter((file) => FOLDER_FILES.has(file.path)), ...weights];
  const ggufs = files.filter((file) => file.path.endsWith(".gguf"));
  if (ggufs.length > 1) {
    throw new GemmaError("ERR_USAGE", `${where}: must name one of the GGUF files, got ${listPaths(ggufs)}`, {
      hint: nameOne(ggufs[0]!.path),
    });
  }
  if (ggufs.length === 1) return ggufs;
  throw new GemmaError("ERR_MISSING_FILE", `${where}: must hold safetensors or GGUF files, got ${listPaths(files)}`);
}

/** The first dozen paths, for messages. */
export function listPaths(files: readonly { readonly path: string }[]): string {
  const shown = files.slice(0, 12).map((file) => file.path.slice(0, 80));
  return `${JSON.stringify(shown)}${files.length > shown.length ? " and more" : ""}`;
}
