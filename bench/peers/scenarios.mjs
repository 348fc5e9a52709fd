// What is compared with node-llama-cpp, and by how much we mean to be faster: `targets` are ratios, ours over theirs.
//   prefill  tokens/s of the prompt, theirs by llama.cpp's own batch decode
//   raw      decode: ours through the streaming API, theirs llama.cpp's decode alone (no sampling, no strings)
//   stream   decode through both streaming APIs
// Random weights (`random`) are made by bench/random-gguf.mjs. `same` tokens of a greedy continuation must agree: both
// engines round activations, each in its own way, and random weights are full of near ties.

const small = {
  model: "gemma-3-270m",
  same: 4,
  prefill: 512,
  decode: 128,
  context: 2048,
  repeat: 3,
  rounds: 5,
  busy: 0,
};
const large = { ...small, model: { random: "gemma-2b", dtype: "Q4_0" }, same: 1, prefill: 256, decode: 32, repeat: 1 };
const long = { ...small, prefill: 4000, decode: 64, context: 4608, repeat: 1 };

export const SCENARIOS = {
  basic: { ...small, threads: 2, rounds: 3, targets: {} }, // when none is named
  "270m-1": { ...small, threads: 1, targets: { prefill: 4, raw: 1.8, stream: 2.2 } },
  "270m-2": { ...small, threads: 2, targets: { prefill: 4, raw: 1.5, stream: 2.2 } },
  "2b-1": { ...large, threads: 1, targets: { prefill: 1.7, raw: 1.5 } },
  "2b-2": { ...large, threads: 2, targets: { prefill: 1.8, raw: 1.0 } },
  "busy-2": { ...small, threads: 2, busy: 1, targets: { raw: 4 } }, // another process keeps one core busy
  "long-1": { ...long, threads: 1, targets: { prefill: 4, raw: 1.5 } },
  "long-2": { ...long, threads: 2, targets: { prefill: 4, raw: 1.5 } },
};
