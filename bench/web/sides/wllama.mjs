// wllama in a page, as bench/web/web.mjs asks it: load, then write. On the CPU, as gemma.ts's wasm backend.
import { Wllama } from "/wllama/index.js";

let wllama;

export async function load({ threads, context }) {
  wllama = new Wllama({ default: "/wllama/wasm/wllama.wasm" }, { suppressNativeLog: true });
  const settings = { n_threads: threads, n_ctx: context, n_gpu_layers: 0, n_parallel: 1, warmup: false };
  await wllama.loadModelFromUrl(new URL("/model.gguf", location.href).href, settings);
  return `${wllama.getNumThreads()} threads`;
}

export async function write(prompt, maxTokens) {
  const begin = performance.now();
  const options = { prompt, max_tokens: maxTokens, temperature: 0, top_k: 1, ignore_eos: true, stream: true };
  let [text, firstMs, lastMs, timings] = ["", 0, 0, null];
  for await (const chunk of await wllama.createCompletion(options)) {
    if (chunk.choices[0]?.text) {
      lastMs = performance.now() - begin;
      firstMs ||= lastMs;
      text += chunk.choices[0].text;
    }
    timings = chunk.timings ?? timings;
  }
  return { text, promptTokens: timings.prompt_n, tokens: timings.predicted_n, firstMs, lastMs };
}
