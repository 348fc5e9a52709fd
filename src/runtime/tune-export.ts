import { join } from "node:path";
import type { Backend } from "../backend/backend.js";
import { fromSystemError } from "../base/errors.js";
import { replaceFolder, writeSlices } from "../disk/durable.js";
import { writeModelFolder } from "../load/export-folder.js";
import type { Checkpoint } from "../load/open.js";
import { GEMMA_TEMPLATE } from "../tokenizer/gemma-template.js";
import type { Parameter } from "../tune/parameters.js";
import type { TuneConfig } from "../tune/run/config.js";
import type { Learner } from "../tune/run/learner.js";
import { peftFiles } from "../tune/run/peft-files.js";
import type { RunFolder } from "../tune/run/run-folder.js";

/** Values that pass through JavaScript at once. */
const SLICE = 1 << 20;

/**
 * Writes what was tuned into the run's folder: a PEFT adapter, or a Hugging Face model with weights in f32, whatever the
 * base's container and type.
 * @throws ERR_DISK_FULL, ERR_IO
 */
export async function exportTuned(
  learner: Learner,
  checkpoint: Checkpoint,
  config: TuneConfig,
  baseModel: string,
  folder: RunFolder,
): Promise<void> {
  const path = folder.tunedPath(config.method);
  const chatTemplate = config.template === "gemma" ? GEMMA_TEMPLATE : null;
  try {
    if (config.method === "full") {
      const { be, parameters } = learner;
      const parameterOf = new Map(checkpoint.tensors.map((tensor, i) => [tensor, parameters[i]!])); // both in the model's order
      const values = (tensor: Checkpoint["tensors"][number]) => rowsOf(be, parameterOf.get(tensor)!);
      await writeModelFolder(path, checkpoint, values, { dtype: "F32", replace: true, chatTemplate });
    } else {
      const files = peftFiles(learner, config, { baseModel, chatTemplate });
      await replaceFolder(path, async (part) => {
        for (const { name, slices } of files) await writeSlices(join(part, name), slices);
      });
    }
  } catch (error) {
    throw folder.explain(fromSystemError(error, path));
  }
}

/** The values of a parameter, in slices of whole rows. */
async function* rowsOf(be: Backend, { value }: Parameter): AsyncGenerator<Float32Array, void> {
  const width = value.shape.at(-1)!;
  const rows = value.shape.length === 2 ? value.shape[0]! : 1;
  const step = Math.max(1, Math.floor(SLICE / width));
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    yield (await be.read(be.view(value, [count * width], row * width))) as Float32Array;
  }
}
