import { expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { openCheckpoint } from "../load/open.js";
import { memoryLimit } from "./memory-limit.js";
import { checkMemory, engineOptions, neededMemory } from "./memory-plan.js";

const checkpoint = openCheckpoint(TINY.gemma3);
checkpoint.close();
const { config, tensors } = checkpoint;

test("a model that cannot fit is refused with the estimate, one that fits is not", () => {
  const needed = neededMemory(config, tensors, engineOptions({}, config));
  const limit = { bytes: 8e9, says: "this machine has" };
  checkMemory("tiny", needed, limit);
  const huge = { ...needed, weightsBytes: 9e15, totalBytes: 9e15 + needed.kvBytes + needed.scratchBytes };
  expect(() => checkMemory("huge.gguf", huge, limit)).toThrow(
    expect.objectContaining({
      code: "ERR_OUT_OF_MEMORY",
      message: expect.stringMatching(
        /^huge\.gguf: needs about 9000000\.0 GB \(weights 9000000\.0 GB, cache .* GB, scratch .* GB\), this machine has 8\.0 GB$/,
      ),
      hint: expect.stringContaining("--ctx"),
    }),
  );
});

test("the context and the cache's type decide the cache's size", () => {
  const kvBytes = (contextLength: number, kv: "f32" | "bf16" | "int8") =>
    neededMemory(config, tensors, engineOptions({ contextLength, kv }, config)).kvBytes;
  expect(kvBytes(4096, "f32")).toBe(2 * kvBytes(4096, "bf16"));
  expect(kvBytes(4096, "int8")).toBeLessThan(kvBytes(4096, "bf16"));
  expect(kvBytes(8192, "bf16")).toBeGreaterThan(kvBytes(4096, "bf16"));
});

test("defaults, and a context longer than the model was trained for", () => {
  expect(engineOptions({}, config)).toMatchObject({ contextLength: 8192, kv: "bf16" });
  expect(engineOptions({ activations: "f32" }, config)).toMatchObject({ kv: "f32" });
  const tooLong = config.maxPositionEmbeddings + 1;
  expect(() => engineOptions({ contextLength: tooLong }, config)).toThrow(
    expect.objectContaining({ code: "ERR_RANGE" }),
  );
  expect(memoryLimit()).toBeGreaterThan(2 ** 20);
});

test.each([
  [{ prefixCacheBytes: -1 }, "ERR_RANGE", "prefixCacheBytes: must be an integer of at least 0, got -1"],
  [{ maxSequences: 0 }, "ERR_RANGE", "maxSequences: must be an integer in 1..256, got 0"],
  [{ maxSequences: Number.NaN }, "ERR_RANGE", "maxSequences: must be an integer in 1..256, got NaN"],
  [{ kv: "f64" as "f32" }, "ERR_USAGE", "kv: must be one of f32, bf16, int8, got f64"],
  [{ activations: "F32" as "f32" }, "ERR_USAGE", "activations: must be one of int8, f32, got F32"],
])("options that no engine has: %j", (settings, code, message) => {
  expect(() => engineOptions(settings, config)).toThrow(expect.objectContaining({ code, message }));
});
