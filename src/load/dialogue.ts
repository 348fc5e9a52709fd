import { GemmaError } from "../base/errors.js";
import { parseJson } from "../format/json.js";
import type { Checkpoint } from "./checkpoint.js";
import { readWhole } from "./file-tree.js";

const MAX_TEMPLATE_BYTES = 1 << 20;
const MAX_TOKENIZER_CONFIG_BYTES = 16 << 20;

type Opened = Pick<Checkpoint, "path" | "tree" | "naming" | "metadata">;

/** How a checkpoint was tuned for dialogue: in Gemma's own turns, in those of its own template, or not at all. */
export type Dialogue =
  | { readonly kind: "gemma" }
  | { readonly kind: "template"; readonly template: string }
  | { readonly kind: "none" };

/**
 * Instruction-tuned checkpoints carry a chat template, pre-trained ones do not; a folder without tokenizer settings is
 * told by `-it` in its name. A template that writes Gemma's turns is not run: they need none.
 */
export function dialogueOf(checkpoint: Opened): Dialogue {
  const template = chatTemplate(checkpoint);
  if (template === null) return { kind: namedTuned(checkpoint) ? "gemma" : "none" };
  const isGemmas = ["<start_of_turn>", "<end_of_turn>"].every((token) => template.includes(token));
  return isGemmas ? { kind: "gemma" } : { kind: "template", template };
}

/** The chat template that comes with a checkpoint, as it stands. @throws ERR_INVALID_TYPE unless it is text */
export function chatTemplate({ path, tree, naming, metadata }: Opened): string | null {
  if (naming === "gguf") return asText(metadata.get("tokenizer.chat_template"), `${path}: tokenizer.chat_template`);
  const file = tree.join(path, "chat_template.jinja");
  if (tree.exists(file)) return new TextDecoder().decode(readWhole(tree, file, MAX_TEMPLATE_BYTES));
  const settings = tree.join(path, "tokenizer_config.json");
  if (!tree.exists(settings)) return null;
  const json = parseJson(readWhole(tree, settings, MAX_TOKENIZER_CONFIG_BYTES), settings);
  const template = json instanceof Map ? json.get("chat_template") : undefined;
  if (!Array.isArray(template)) return asText(template ?? undefined, `${settings}: chat_template`);
  const named = template.find((entry) => entry instanceof Map && entry.get("name") === "default"); // several by name
  return asText(named instanceof Map ? named.get("template") : undefined, `${settings}: chat_template`);
}

function asText(value: unknown, where: string): string | null {
  if (value === undefined) return null;
  if (typeof value === "string") return value;
  throw new GemmaError("ERR_INVALID_TYPE", `${where}: must be a string, got ${typeof value}`);
}

function namedTuned({ path, tree, naming }: Opened): boolean {
  return (
    naming !== "gguf" && !tree.exists(tree.join(path, "tokenizer_config.json")) && /-it\b/.test(tree.basename(path))
  );
}
