import type { StoredDtype } from "../base/dtype.js";
import type { MatchedTensor } from "./match.js";
import type { Naming } from "./tensors.js";

/** What a model's weights are on disk. */
export interface StoredWeights {
  readonly format: "gguf" | "safetensors";
  /** The type of most of their bytes. */
  readonly dtype: StoredDtype;
  readonly parameters: number;
  readonly bytes: number;
}

/** Sums up the tensors that a model needs. */
export function storedWeights(naming: Naming, tensors: readonly MatchedTensor[]): StoredWeights {
  const bytesByType = new Map<StoredDtype, number>();
  let parameters = 0;
  for (const { dtype, info } of tensors) {
    bytesByType.set(dtype, (bytesByType.get(dtype) ?? 0) + info.sizeBytes);
    parameters += info.shape.reduce((product, size) => product * size, 1);
  }
  const types = [...bytesByType].sort(([, a], [, b]) => b - a);
  const bytes = types.reduce((sum, [, size]) => sum + size, 0);
  return { format: naming === "gguf" ? "gguf" : "safetensors", dtype: types[0]![0], parameters, bytes };
}
