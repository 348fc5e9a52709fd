import { type EmbeddingModelV4, type LanguageModelV4, NoSuchModelError, type ProviderV4 } from "@ai-sdk/provider";
import { type GemmaSource, lazily } from "../../runtime/gemma-source.js";
import { AiSdkEmbeddingModel } from "./embedding-model.js";
import { AiSdkLanguageModel } from "./language-model.js";
import { adapterOf, LOADED, type ModelKind } from "./model-id.js";

/** Call it, or its methods, for a model. Without an id: the loaded model. */
export interface GemmaProvider extends ProviderV4 {
  (modelId?: string): LanguageModelV4;
  languageModel(modelId?: string): LanguageModelV4;
  embeddingModel(modelId?: string): EmbeddingModelV4;
}

/**
 * A provider of one loaded model and its adapters. A model's id is the name of the loaded model, or "loaded"; with
 * `:name` behind it, the adapter that was loaded by this name.
 *
 * @param source a loaded model, or how to load it when it is first used
 * @throws NoSuchModelError for another model's id: at once where the model is loaded, else from the first call
 *
 * @example
 * const gemma = createGemma(await Gemma.load("gemma-3-270m"));
 * const { text } = await generateText({ model: gemma(), prompt: "Once upon a time" });
 */
export function createGemma(source: GemmaSource): GemmaProvider {
  const load = lazily(source);
  const check = (modelId: string, kind: ModelKind) => {
    if (typeof source !== "function") adapterOf(modelId, source, kind);
  };
  const languageModel = (modelId: string = LOADED) => {
    check(modelId, "languageModel");
    return new AiSdkLanguageModel(modelId, load);
  };
  const embeddingModel = (modelId: string = LOADED) => {
    check(modelId, "embeddingModel");
    return new AiSdkEmbeddingModel(modelId, load);
  };
  const imageModel = (modelId: string): never => {
    throw new NoSuchModelError({ modelId, modelType: "imageModel" });
  };
  const provider = (modelId?: string) => languageModel(modelId);
  return Object.assign(provider, { specificationVersion: "v4" as const, languageModel, embeddingModel, imageModel });
}
