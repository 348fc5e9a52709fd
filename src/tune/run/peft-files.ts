import { safetensorsFile } from "../../format/safetensors-write.js";
import { peftModule } from "../../model/adapter-peft.js";
import { TEMPLATE_FILE } from "../../tokenizer/gemma-template.js";
import type { TuneConfig } from "./config.js";
import type { Learner } from "./learner.js";
import { tensorData } from "./tensor-file.js";

/** What others must know of an adapter, beside its numbers. */
export interface AdapterNotes {
  /** For people: what it was trained on. */
  readonly baseModel: string;
  readonly chatTemplate: string | null;
}

export interface PeftFile {
  readonly name: string;
  readonly slices: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

const PEFT_PREFIX = "base_model.model.model.";

/**
 * An adapter as PEFT writes it: adapter_config.json, adapter_model.safetensors, and the chat template that it was tuned on.
 * The same values give the same bytes.
 */
export function peftFiles(
  { be, parameters }: Learner,
  config: Exclude<TuneConfig, { method: "full" }>,
  { baseModel, chatTemplate }: AdapterNotes,
): readonly PeftFile[] {
  const tensors = parameters.map(({ name, value }) => tensorData(be, `${PEFT_PREFIX}${name}`, value));
  const text = (content: string) => [new TextEncoder().encode(content)];
  const files: PeftFile[] = [
    { name: "adapter_config.json", slices: text(`${JSON.stringify(peftConfig(config, baseModel), null, 2)}\n`) },
    // PEFT asks for the format
    { name: "adapter_model.safetensors", slices: safetensorsFile(tensors, new Map([["format", "pt"]])) },
  ];
  return chatTemplate === null ? files : [...files, { name: TEMPLATE_FILE, slices: text(chatTemplate) }];
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
