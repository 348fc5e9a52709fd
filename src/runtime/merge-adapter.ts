import { realpathSync } from "node:fs";
import { resolve, sep } from "node:path";
import { GemmaError } from "../base/errors.js";
import type { WrittenDtype } from "../format/quantise.js";
import { folderTemplate } from "../load/dialogue.js";
import type { ExportProgress, NewValues } from "../load/export.js";
import { FOLDER_DTYPES, writeModelFolder } from "../load/export-folder.js";
import { writeModelGguf } from "../load/export-gguf.js";
import { disk } from "../load/files.js";
import { openCheckpoint } from "../load/open.js";
import { openAdapter } from "../load/open-adapter.js";
import { resolveModel } from "../load/pull.js";
import type { PullOptions } from "../load/pull-options.js";
import { expectWhole } from "../load/tuned.js";
import { pairOf } from "../model/adapter-peft.js";
import type { MatchedTensor } from "../model/match.js";
import { mergedRows } from "../model/weight-rows.js";

export interface MergeOptions {
  /** "safetensors": a Hugging Face model folder. "gguf": a file. Default: as `out` ends, `.gguf` or not. */
  readonly format?: "safetensors" | "gguf";
  /**
   * A folder: of all weights, "F32", "F16" or "BF16". A GGUF file: of the matrices that the adapter changes, also "Q8_0" and
   * "Q4_0". Default: each keeps its type; one that cannot be written becomes BF16 in a folder, Q8_0 in a GGUF file.
   */
  readonly dtype?: WrittenDtype;
  /** Replace what has the name `out`. Default: false. */
  readonly replace?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ExportProgress) => void;
  /** Of a model that is fetched first. */
  readonly pull?: PullOptions;
}

export interface MergeResult {
  readonly path: string;
  readonly format: "safetensors" | "gguf";
  readonly sizeBytes: number;
  /** Matrices that the adapter changed. */
  readonly mergedMatrices: number;
}

/**
 * Writes a model with a LoRA adapter merged into its weights: W + scale · B A, computed in f64 from the stored W, rounded once
 * to f32 and then to the type written. Memory holds a slice of one tensor. The output appears under its name when it is
 * complete; after an error or an abort nothing is left of it.
 *
 * @param model   name, source or path of the base; it is fetched first if needed
 * @param adapter folder of a PEFT adapter
 * @param out     a new file or folder in a folder that exists
 * @throws ERR_USAGE when `out` exists, has base or adapter in it, or the type does not fit the format, and what openCheckpoint, openAdapter,
 *   writeModelFolder and writeModelGguf throw
 */
export async function mergeAdapter(
  model: string,
  adapter: string,
  out: string,
  options: MergeOptions = {},
): Promise<MergeResult> {
  const { dtype, replace, signal, onProgress } = options;
  const format = options.format ?? (out.endsWith(".gguf") ? "gguf" : "safetensors");
  const folderDtype = FOLDER_DTYPES.find((name) => name === dtype);
  if (format === "safetensors" && dtype !== undefined && folderDtype === undefined) throw quantisedFolder(dtype);
  expectWhole(model, "model");
  const { path } = await resolveModel(model, { ...options.pull, ...(signal ? { signal } : {}) });
  expectApart(out, [path, adapter]);
  const base = openCheckpoint(path);
  try {
    const opened = openAdapter(adapter, base.config);
    try {
      const pair = (tensor: MatchedTensor) => pairOf(opened.adapter, tensor);
      const changed: NewValues = (tensor) => {
        const found = pair(tensor);
        return found && mergedRows(tensor, found, base.naming);
      };
      const mergedMatrices = base.tensors.filter((tensor) => pair(tensor) !== undefined).length;
      const shared = { replace, signal, onProgress, chatTemplate: folderTemplate(disk, adapter) };
      const sizeBytes =
        format === "gguf"
          ? await writeModelGguf(out, base, changed, { ...shared, dtype })
          : await writeModelFolder(out, base, changed, { ...shared, dtype: folderDtype });
      return { path: out, format, sizeBytes, mergedMatrices };
    } finally {
      opened.close();
    }
  } finally {
    base.close();
  }
}

/** What is read must not be replaced by what is written. */
function expectApart(out: string, inputs: readonly string[]): void {
  const target = realPath(out);
  const inside = inputs.find((input) => `${realPath(input)}${sep}`.startsWith(`${target}${sep}`));
  if (inside === undefined) return;
  throw new GemmaError("ERR_USAGE", `${out}: must be another place than what is merged, got ${inside} in it`, {
    hint: "choose another name",
  });
}

/** Links followed, where there is something. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function quantisedFolder(dtype: WrittenDtype): GemmaError {
  return new GemmaError("ERR_USAGE", `mergeAdapter: dtype of a safetensors folder must be a float type, got ${dtype}`, {
    hint: "bf16, f16 or f32; quantised weights go into a GGUF file",
  });
}
