import { expect, test } from "vitest";
import { resolveOptions } from "./options.js";

test("defaults are those of Gemma's generation_config", () => {
  const { sampling, stop, logprobs } = resolveOptions({}, 100);
  expect(sampling).toMatchObject({ temperature: 1, topK: 64, topP: 0.95, minP: 0, repetitionPenalty: 1 });
  expect({ stop, logprobs }).toEqual({ stop: [], logprobs: null });
  expect(resolveOptions({}, 100).sampling.seed).not.toBe(sampling.seed);
});

test.each([
  [{ temperature: -1 }, "temperature must be in 0..100, got -1"],
  [{ temperature: Number.NaN }, "temperature must be in 0..100, got NaN"],
  [{ topP: 1.5 }, "topP must be in 0..1, got 1.5"],
  [{ topK: 1.5 }, "topK must be an integer in 0..2147483647, got 1.5"],
  [{ seed: 2 ** 53 }, `seed must be an integer in 0..${Number.MAX_SAFE_INTEGER}, got ${2 ** 53}`],
  [{ maxTokens: -1 }, "maxTokens must be an integer in 0..2147483647, got -1"],
  [{ logitBias: { 100: 1 } }, "logitBias id must be an integer in 0..99, got 100"],
  [{ stop: [""] }, "stop must be a string that is not empty"],
])("%j is refused", (options, message) => {
  expect(() => resolveOptions(options, 100)).toThrow(expect.objectContaining({ code: "ERR_RANGE", message }));
});
