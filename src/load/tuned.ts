import { join } from "node:path";
import { GemmaError } from "../base/errors.js";
import { DEFAULT_MODEL } from "./catalogue.js";
import { packageRoot } from "./package-root.js";

/** A model of this project: one of the catalogue with an adapter that ships with the package. */
export interface TunedModel {
  readonly name: string;
  /** One line for lists. */
  readonly label: string;
  /** Its base, a name of the catalogue. */
  readonly base: string;
  /** Folder of the PEFT adapter. */
  readonly adapter: string;
}

/** What chats by default. */
export const DEFAULT_CHAT_MODEL = "gemma-3-270m-it-ts";

export const TUNED_MODELS: readonly TunedModel[] = [
  {
    name: DEFAULT_CHAT_MODEL,
    label: "Gemma 3 270M, instruction-tuned by this project (recipes/gemma-3-270m-it)",
    base: DEFAULT_MODEL,
    adapter: join(packageRoot(), "models", DEFAULT_CHAT_MODEL),
  },
];

export function findTuned(name: string): TunedModel | undefined {
  return TUNED_MODELS.find((model) => model.name === name.toLowerCase());
}

/** Where weights alone are wanted: an adapter would be left out without a word. @throws ERR_USAGE for a tuned model */
export function expectWhole(name: string, what: string): void {
  const tuned = findTuned(name);
  if (tuned === undefined) return;
  throw new GemmaError("ERR_USAGE", `${what}: must be a whole model, got ${name}, an adapter on ${tuned.base}`, {
    hint: `use ${tuned.base}, or merge the two: gemma tune merge --model ${tuned.base} --adapter ${tuned.adapter}`,
  });
}
