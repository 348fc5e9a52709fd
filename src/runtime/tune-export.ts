import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { safetensorsFile } from "../format/safetensors-write.js";
import type { Checkpoint } from "../load/open.js";
import type { TuneConfig } from "../tune/run/config.js";
import { replaceFolder, writeSlices } from "../tune/run/durable.js";
import { exportAdapter } from "../tune/run/export-adapter.js";
import type { Learner } from "../tune/run/learner.js";
import { type RunFolder, TUNE_FILES } from "../tune/run/run-folder.js";
import { tensorData } from "../tune/run/tensor-file.js";

const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer.model",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "generation_config.json",
];

/** Writes what was tuned into the run's folder. @returns its path. @throws ERR_DISK_FULL, ERR_IO */
export async function exportTuned(
  learner: Learner,
  checkpoint: Checkpoint,
  config: TuneConfig,
  baseModel: string,
  folder: RunFolder,
): Promise<string> {
  const path = join(folder.path, config.method === "full" ? TUNE_FILES.model : TUNE_FILES.adapter);
  try {
    if (config.method === "full") await exportModel(path, learner, checkpoint);
    else await exportAdapter(path, learner, config, baseModel);
  } catch (error) {
    throw folder.explain(fromSystemError(error, path));
  }
  return path;
}

/** @throws ERR_UNSUPPORTED_OPTION where what is tuned could not be written at the end */
export function expectExportable({ method }: TuneConfig, { naming, path }: Pick<Checkpoint, "naming" | "path">): void {
  if (method !== "full" || naming === "hf") return;
  throw new GemmaError(
    "ERR_UNSUPPORTED_OPTION",
    `${path}: full tuning must start from a Hugging Face folder, whose settings the tuned model takes, got a GGUF file`,
    { hint: "tune an adapter: --method lora; gemma tune merge makes a whole model of it" },
  );
}

/** A Hugging Face folder with weights in f32, and the base's own settings and tokenizer. */
async function exportModel(path: string, { be, parameters }: Learner, base: Checkpoint): Promise<void> {
  await replaceFolder(path, async (part) => {
    const settings = JSON.parse(readFileSync(join(base.path, "config.json"), "utf8")) as Record<string, unknown>;
    const { dtype: _, ...rest } = settings;
    await writeSlices(join(part, "config.json"), [
      Buffer.from(`${JSON.stringify({ ...rest, torch_dtype: "float32" }, null, 2)}\n`),
    ]);
    for (const name of TOKENIZER_FILES) {
      if (existsSync(join(base.path, name))) copyFileSync(join(base.path, name), join(part, name));
    }
    const tensors = parameters.map(({ name, value }) => tensorData(be, `model.${name}`, value));
    await writeSlices(join(part, "model.safetensors"), safetensorsFile(tensors, new Map([["format", "pt"]])));
  });
}
