import fc from "fast-check";

// Property tests draw the same values in each run; GEMMA_FUZZ_SEED=2 gives others. A failure prints its seed.
export const SEED = Number(process.env.GEMMA_FUZZ_SEED ?? 1);
fc.configureGlobal({ seed: SEED });

export default fc;
