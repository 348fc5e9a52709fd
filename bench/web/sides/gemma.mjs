// gemma.ts in a page, as bench/web/web.mjs asks it: load, then write.
import { Gemma } from "/dist/web/gemma-ts.js";

let gemma;

export async function load({ threads, context, backend }) {
  gemma = await Gemma.load("/model.gguf", { threads, contextLength: context, backend, maxSequences: 1 });
  return `${gemma.info.backend.name} ${gemma.info.backend.isa}, ${gemma.info.backend.threads} threads`;
}

/** @returns {Promise<{ text: string, promptTokens: number, tokens: number, firstMs: number, lastMs: number }>} */
export async function write(prompt, maxTokens) {
  const begin = performance.now();
  const generation = gemma.generate(prompt, { maxTokens, temperature: 0, ignoreEos: true, promptLookup: false });
  let [text, firstMs, lastMs] = ["", 0, 0];
  for await (const piece of generation) {
    lastMs = performance.now() - begin;
    firstMs ||= lastMs;
    text += piece;
  }
  const { timings } = await generation.result;
  return {
    text,
    promptTokens: timings.promptTokens - timings.cachedTokens,
    tokens: timings.generatedTokens,
    firstMs,
    lastMs,
  };
}
