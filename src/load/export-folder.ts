import { join, resolve } from "node:path";
import { replaceFolder } from "../disk/durable.js";
import { shapeBytes } from "../format/safetensors-dtypes.js";
import {
  type SafetensorsData,
  type SafetensorsEntry,
  safetensorsFile,
  safetensorsHeader,
} from "../format/safetensors-write.js";
import { HEADS, type MatchedTensor } from "../model/match.js";
import { expectedTensors } from "../model/tensors.js";
import { companionFiles } from "./companion-files.js";
import { type ExportOptions, encoded, type NewValues, stored } from "./export.js";
import type { Checkpoint } from "./open.js";
import { expectTarget, writeWhole } from "./write-whole.js";

export const FOLDER_DTYPES = ["F32", "F16", "BF16"] as const;
export type FolderDtype = (typeof FOLDER_DTYPES)[number];

export interface FolderOptions extends ExportOptions {
  /** Of all the model's tensors. Default: each keeps its own; those of a GGUF file become BF16. */
  readonly dtype?: FolderDtype | undefined;
}

/**
 * Writes a Hugging Face model folder: config.json, one model.safetensors whatever its size, the tokenizer's files. What the
 * checkpoint has beside the text model (a vision tower) is copied. The folder appears under its name when it is complete;
 * memory holds a slice of one tensor.
 *
 * @param path a new folder in one that exists; what another program does not know there is gone when it is replaced
 * @returns bytes written
 * @throws ERR_USAGE when `path` exists, ERR_DISK_FULL, ERR_IO, ERR_INVALID_VALUE (a weight that is not finite), the reason of
 *   `signal`, what companionFiles throws
 */
export async function writeModelFolder(
  path: string,
  base: Checkpoint,
  changed: NewValues,
  options: FolderOptions = {},
): Promise<number> {
  const { signal, onProgress } = options;
  const tensors = folderTensors(base, changed, options.dtype);
  const files = companionFiles(base, {
    dtype: options.dtype ?? (base.naming === "hf" ? undefined : "BF16"),
    addedTemplate: options.chatTemplate ?? null,
  });
  const totalBytes = fileBytes(tensors) + files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await expectTarget(path, totalBytes, options.replace ?? false);
  let doneBytes = 0;
  const write = async (
    folder: string,
    file: { readonly name: string; readonly data: () => Parameters<typeof writeWhole>[1] },
  ) => {
    let before = 0;
    const onBytes = (fileDone: number) => {
      doneBytes += fileDone - before;
      before = fileDone;
      onProgress?.({ doneBytes, totalBytes });
    };
    await writeWhole(join(folder, file.name), file.data(), { signal, onBytes });
  };
  const metadata = new Map([["format", "pt"]]); // transformers refuses a file that does not say so
  // A slash at the end, as shells complete it, is no part of the name.
  await replaceFolder(resolve(path), async (part) => {
    for (const file of files) await write(part, file);
    await write(part, { name: "model.safetensors", data: () => safetensorsFile(tensors, metadata) });
  });
  return doneBytes;
}

/** The model's tensors under Hugging Face's names, and what else a folder has. */
function folderTensors(base: Checkpoint, changed: NewValues, dtype: FolderDtype | undefined): SafetensorsData[] {
  const names = expectedTensors(base.config, "hf");
  const used = new Set<string>();
  const written = (tensor: MatchedTensor, name: string): SafetensorsData => {
    const type = dtype ?? (base.naming === "gguf" ? "BF16" : (tensor.dtype as FolderDtype));
    const copied = base.naming === "hf" && type === tensor.dtype && changed(tensor) === undefined;
    const data = () => (copied ? stored(tensor) : encoded(tensor, base, changed(tensor), type, 0));
    return { name, dtype: type, shape: tensor.shape, data };
  };
  const tensors = base.tensors.map((tensor, i) => {
    used.add(tensor.info.name);
    return written(tensor, base.naming === "hf" ? tensor.info.name : `model.${names[i]!.storedName}`);
  });
  if (base.naming === "gguf") return tensors; // a stored head is the embedding, which config.json says; the rest is no text
  for (const info of base.allTensors.values()) {
    if (used.has(info.name)) continue;
    if (HEADS.includes(info.name)) tensors.push(written(base.tensors[0]!, info.name));
    else tensors.push({ name: info.name, dtype: info.dtype, shape: info.shape, data: () => stored({ info }) });
  }
  return tensors;
}

function fileBytes(tensors: readonly SafetensorsEntry[]): number {
  const header = safetensorsHeader(tensors).length;
  return tensors.reduce((sum, { name, dtype, shape }) => sum + shapeBytes(dtype, shape, name), header);
}
