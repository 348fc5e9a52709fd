import type { Gemma } from "./gemma.js";

/** A loaded model, or how to load it when it is first needed. */
export type GemmaSource = Gemma | (() => Promise<Gemma>);

/** Loads at most once. A load that has failed is tried again by the next call. */
export function lazily(source: GemmaSource): () => Promise<Gemma> {
  if (typeof source !== "function") return () => Promise.resolve(source);
  let loading: Promise<Gemma> | null = null;
  return () => {
    loading ??= source().catch((error) => {
      loading = null;
      throw error;
    });
    return loading;
  };
}
