import { GemmaError } from "../base/errors.js";
import { parseSafetensors } from "../format/safetensors.js";
import type { TensorInfo } from "../format/tensor-info.js";
import { type PeftAdapter, parsePeftAdapter } from "../model/adapter-peft.js";
import type { GemmaConfig } from "../model/config.js";
import { type FileTree, readWhole, withFilesOf } from "./file-tree.js";

export interface OpenedAdapter {
  /** For loadAdapter; its tensors are read from the open file. */
  readonly adapter: PeftAdapter;
  /** All tensors of the file, and the free text of its header. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
  close(): void;
}

const CONFIG = "adapter_config.json";
const MAX_CONFIG_BYTES = 1 << 20;

/**
 * Opens a PEFT adapter's folder and checks it against the base model's configuration; no weight is loaded.
 * @throws ERR_MISSING_FILE, ERR_FORBIDDEN_FORMAT, and what parseSafetensors and parsePeftAdapter throw
 */
export function openAdapterIn(tree: FileTree, folder: string, base: GemmaConfig): OpenedAdapter {
  return withFilesOf(tree, (files) => {
    const settings = tree.join(folder, CONFIG);
    const ofRun = tree.join(folder, "adapter");
    if (!tree.exists(settings) && tree.exists(tree.join(ofRun, CONFIG))) {
      const hint = `a run's folder has its adapter in a folder of that name: ${ofRun}`;
      throw new GemmaError("ERR_MISSING_FILE", `${settings}: no such file or directory`, { hint });
    }
    const config = readWhole(tree, settings, MAX_CONFIG_BYTES);
    const weights = tree.join(folder, "adapter_model.safetensors");
    if (!tree.exists(weights) && tree.exists(tree.join(folder, "adapter_model.bin"))) {
      throw new GemmaError(
        "ERR_FORBIDDEN_FORMAT",
        `${folder}: weights must be safetensors, got adapter_model.bin, a pickle that can run code when it is read`,
        { hint: "save the adapter again with safe_serialization=True" },
      );
    }
    const { tensors, metadata } = parseSafetensors(files.open(weights, "safetensors"));
    const adapter = parsePeftAdapter(config, tensors, base, folder);
    return { adapter, tensors, metadata, close: () => files.close() };
  });
}
