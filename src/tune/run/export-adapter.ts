import { join } from "node:path";
import { replaceFolder, writeSlices } from "../../disk/durable.js";
import { safetensorsFile } from "../../format/safetensors-write.js";
import { peftModule } from "../../model/adapter-peft.js";
import { TEMPLATE_FILE } from "../../tokenizer/gemma-template.js";
import type { TuneConfig } from "./config.js";
import type { Learner } from "./learner.js";
import { tensorData } from "./tensor-file.js";

/** What others must know of an adapter, beside its numbers. */
interface AdapterNotes {
  /** For people: what it was trained on. */
  readonly baseModel: string;
  readonly chatTemplate: string | null;
}

const PEFT_PREFIX = "base_model.model.model.";

/**
 * Writes an adapter as PEFT does: adapter_config.json, adapter_model.safetensors, and the chat template that it was tuned on.
 * The same values give the same bytes.
 * @throws ERR_DISK_FULL, ERR_IO
 */
export async function exportAdapter(
  folder: string,
  { be, parameters }: Learner,
  config: Exclude<TuneConfig, { method: "full" }>,
  { baseModel, chatTemplate }: AdapterNotes,
): Promise<void> {
  const tensors = parameters.map(({ name, value }) => tensorData(be, `${PEFT_PREFIX}${name}`, value));
  const json = `${JSON.stringify(peftConfig(config, baseModel), null, 2)}\n`;
  const weights = safetensorsFile(tensors, new Map([["format", "pt"]])); // PEFT asks for it
  await replaceFolder(folder, async (part) => {
    await writeSlices(join(part, "adapter_config.json"), [Buffer.from(json)]);
    await writeSlices(join(part, "adapter_model.safetensors"), weights);
    if (chatTemplate !== null) await writeSlices(join(part, TEMPLATE_FILE), [Buffer.from(chatTemplate)]);
  });
}

/** The keys that PEFT writes itself. */
function peftConfig(config: Exclude<TuneConfig, { method: "full" }>, baseModel: string) {
  return {
    auto_mapping: null,
    base_model_name_or_path: baseModel,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: config.alpha,
    lora_dropout: config.dropout,
    modules_to_save: null,
    peft_type: "LORA",
    r: config.rank,
    revision: null,
    target_modules: config.targets.map((projection) => peftModule(projection).split(".").at(-1)!),
    task_type: "CAUSAL_LM",
    use_dora: false,
    use_rslora: config.rsLora,
  };
}
