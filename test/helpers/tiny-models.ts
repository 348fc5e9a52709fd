import { fileURLToPath } from "node:url";
import { findShipped } from "../../src/load/shipped.js";

const fixture = (path: string) => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));

/** The trained model that ships with the package: for tests that need words instead of noise. */
export const STORYTELLER = "gemma-tiny-ts";
export const hasStoryteller = findShipped(STORYTELLER) !== undefined;
if (!hasStoryteller) console.warn(`models/${STORYTELLER} holds no model: tests with it are skipped`);

/** Random models of 7 layers with a vocabulary of 768; Gemma 3's sees 16 positions in its sliding layers. */
export const TINY = {
  gemma1: fixture("gguf/models/gemma1-mqa.q8_0.gguf"),
  gemma2: fixture("gguf/models/gemma2.q8_0.gguf"),
  gemma3: fixture("gguf/models/gemma3.q8_0.gguf"),
  /** LoRA adapters for them. */
  adapter: fixture("tune/gemma3/adapter"),
  adapter1: fixture("tune/gemma1-mqa/adapter"),
} as const;
