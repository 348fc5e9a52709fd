import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { parseJson } from "../format/json.js";
import { readFile } from "./files.js";
import type { Checkpoint } from "./open.js";

const MAX_TOKENIZER_CONFIG_BYTES = 16 << 20;

/**
 * Whether a checkpoint was tuned for dialogue. Instruction-tuned files carry a chat template, pre-trained ones do not;
 * a folder without tokenizer settings is told by `-it` in its name.
 */
export function isDialogueTuned(checkpoint: Pick<Checkpoint, "path" | "naming" | "metadata">): boolean {
  const { path, naming, metadata } = checkpoint;
  if (naming === "gguf") return metadata.has("tokenizer.chat_template");
  if (existsSync(join(path, "chat_template.jinja"))) return true;
  const settings = join(path, "tokenizer_config.json");
  if (!existsSync(settings)) return /-it\b/.test(basename(path));
  const json = parseJson(readFile(settings, MAX_TOKENIZER_CONFIG_BYTES), settings);
  return json instanceof Map && json.has("chat_template");
}
