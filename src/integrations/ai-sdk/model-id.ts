import { NoSuchModelError } from "@ai-sdk/provider";
import type { Gemma } from "../../runtime/gemma.js";

/** The id of the loaded model, whatever its name. */
export const LOADED = "loaded";

export type ModelKind = "languageModel" | "embeddingModel";

/** The adapter that a model's id names: `base:adapter`. Names of models may have colons themselves. */
export function adapterOf(modelId: string, gemma: Gemma, modelType: ModelKind): string | undefined {
  const { name } = gemma.info;
  const base = [LOADED, name].find((known) => modelId === known || modelId.startsWith(`${known}:`));
  if (base === undefined) {
    const message = `model: must be "${name}", "${LOADED}", or one of these with ":adapter", got "${modelId}"`;
    throw new NoSuchModelError({ modelId, modelType, message });
  }
  if (modelId === base) return undefined;
  const adapter = modelId.slice(base.length + 1);
  if (gemma.adapters.includes(adapter)) return adapter;
  const message = `model: must have a loaded adapter behind the colon, got "${modelId}"; loaded: ${gemma.adapters.join(", ") || "none"}`;
  throw new NoSuchModelError({ modelId, modelType, message });
}
