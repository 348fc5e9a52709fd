// Gemma as a provider of the Vercel AI SDK

export type { GemmaSource } from "../../runtime/gemma-source.js";
export type { GemmaProviderOptions } from "./options.js";
export { createGemma, type GemmaProvider } from "./provider.js";
