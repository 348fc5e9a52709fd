import { expect, test } from "vitest";
import { resolveOptions, resolveRequest } from "./options.js";

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

test("a request without a place has an ordinary one, and all the time", () => {
  const plain = { tenant: "", priority: 0, salt: "", since: 5, deadline: Infinity };
  expect(resolveRequest({}, 5)).toEqual(plain);
  expect(resolveRequest({ tenant: "t", priority: -100, deadlineMs: 20, cacheSalt: "s" }, 5)).toEqual({
    ...{ tenant: "t", priority: -100, salt: "s", since: 5, deadline: 25 },
  });
});

test.each([
  [{ priority: 101 }, "ERR_RANGE", "priority must be an integer in -100..100, got 101"],
  [{ priority: 0.5 }, "ERR_RANGE", "priority must be an integer in -100..100, got 0.5"],
  [{ deadlineMs: -1 }, "ERR_RANGE", "deadlineMs must be in 0..2147483647, got -1"],
  [{ deadlineMs: Infinity }, "ERR_RANGE", "deadlineMs must be in 0..2147483647, got Infinity"],
  [{ tenant: "x".repeat(257) }, "ERR_RANGE", "tenant must have at most 256 characters, got 257"],
  [{ tenant: 5 as never }, "ERR_USAGE", "tenant must be a string, got 5"],
  [{ cacheSalt: {} as never }, "ERR_USAGE", "cacheSalt must be a string, got [object Object]"],
])("%o is refused", (options, code, message) => {
  expect(() => resolveRequest(options)).toThrow(expect.objectContaining({ code, message }));
});
