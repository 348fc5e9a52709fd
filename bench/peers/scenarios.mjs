// What is compared with node-llama-cpp, and by how much we mean to be faster. A target is of the ratio, ours over theirs,
// of our own value, or of the share of this machine's limit:
//   prefill  tokens/s of the prompt, raw: our engine without worker and strings beside llama.cpp's own batches
//   raw      decode, raw: llama.cpp's decode has no sampling, ours has
//   stream   decode through both streaming APIs
// `variants` of our side get rows of their own, beside the peer and beside our own plain run: { label, load, generate,
// threads }, further options of Gemma.load and generate, or another number of threads.
// Random weights (`random`) are made by bench/random-gguf.mjs. `same` tokens of a greedy continuation must agree: both
// engines round activations, each in its own way, and random weights are full of near ties.

/** The head is Q8_0 in both files: steps that look at the most likely ids alone need not read all of it. */
const screened = { label: "head screened", load: { screenHead: true } };

const ratio = (atLeast) => ({ of: "ratio", atLeast });
const milliseconds = (atMost) => ({ of: "ours", atMost });
const limit = (atLeast) => ({ of: "share", atLeast });

const small = {
  model: "gemma-3-270m",
  label: "Gemma 3 270M Q4_K_M",
  same: 4,
  prefill: 512,
  decode: 128,
  context: 2048,
  repeat: 3,
  rounds: 5,
  busy: 0,
  variants: { screened },
};
const large = {
  ...small,
  model: { random: "gemma-2b", dtype: "Q4_0" },
  label: "Gemma 2B's shape, Q4_0, random weights",
  same: 1,
  prefill: 256,
  decode: 32,
  repeat: 1,
};
const long = { ...small, prefill: 4000, decode: 64, context: 4608, repeat: 1 };
const oneThread = { label: "1 thread", threads: 1 };

export const SCENARIOS = {
  basic: { ...small, threads: 2, rounds: 3, targets: {} }, // when none is named
  "270m-1": {
    ...small,
    threads: 1,
    targets: { load: [milliseconds(250)], prefill: [ratio(4)], raw: [ratio(1.8)], stream: [ratio(2.2)] },
  },
  "270m-2": {
    ...small,
    threads: 2,
    targets: { load: [milliseconds(250)], prefill: [ratio(4)], raw: [ratio(1.5)], stream: [ratio(2.2)] },
  },
  "2b-1": {
    ...large,
    threads: 1,
    targets: { load: [milliseconds(2000)], prefill: [ratio(1.7)], raw: [ratio(1.5)] },
  },
  "2b-2": {
    ...large,
    threads: 2,
    targets: { load: [milliseconds(2000)], prefill: [ratio(1.8)], raw: [ratio(1), limit(0.85)] },
  },
  // Another process keeps one core busy: we may lose that core, but no more, so one thread must not be faster than two.
  "busy-2": {
    ...small,
    threads: 2,
    busy: 1,
    variants: { screened, oneThread },
    targets: { raw: [ratio(4)], "gain oneThread": [{ of: "ratio", atMost: 1.05 }] },
  },
  "long-1": { ...long, threads: 1, targets: { prefill: [ratio(4)], raw: [ratio(1.5)] } },
  "long-2": { ...long, threads: 2, targets: { prefill: [ratio(4)], raw: [ratio(1.5)] } },
};
