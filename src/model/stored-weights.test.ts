import { expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { openCheckpoint } from "../load/open.js";
import { storedWeights } from "./stored-weights.js";

test("the type of most bytes, and sums over what the model needs", () => {
  const checkpoint = openCheckpoint(TINY.gemma3);
  const { naming, tensors } = checkpoint;
  const stored = storedWeights(naming, tensors);
  checkpoint.close();
  expect(stored).toMatchObject({ format: "gguf", dtype: "Q8_0" });
  const embedding = tensors.find(({ name }) => name === "embedding")!;
  expect(embedding.info.shape).toEqual([768, 64]);
  const others = tensors.filter((tensor) => tensor !== embedding);
  const rest = storedWeights(naming, others);
  expect([stored.parameters - rest.parameters, stored.bytes - rest.bytes]).toEqual([768 * 64, (768 * 64 * 34) / 32]);
});
