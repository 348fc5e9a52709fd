// Gemma as a chat model and as embeddings of LangChain.js

export type { GemmaSource } from "../../runtime/gemma-source.js";
export { ChatGemma, type ChatGemmaCallOptions, type ChatGemmaFields } from "./chat-model.js";
export { GemmaEmbeddings, type GemmaEmbeddingsFields } from "./embeddings.js";
export type { ChatGemmaSettings } from "./settings.js";
