import { rowBytes } from "../base/dtype.js";
import { dequantise } from "../format/dequantise.js";
import type { PeftPair } from "./adapter-peft.js";
import type { MatchedTensor } from "./match.js";
import type { Naming } from "./tensors.js";
import { readFloats } from "./weights.js";

const SLICE_ELEMENTS = 1 << 18;

/**
 * The values of a stored tensor as f32, in slices of whole rows that share one buffer. Norm weights are offset from one,
 * as Hugging Face stores them: GGUF stores the sum.
 */
export function* weightRows({ info, dtype, shape }: MatchedTensor, naming: Naming): Generator<Float32Array, void> {
  const width = shape.at(-1)!;
  const rows = shape.length === 2 ? shape[0]! : 1;
  const step = Math.min(rows, Math.max(1, Math.floor(SLICE_ELEMENTS / width)));
  const size = rowBytes(dtype, width);
  const values = new Float32Array(step * width);
  const bytes = new Uint8Array(step * size);
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const slice = values.subarray(0, count * width);
    dequantise(dtype, info.source.read(info.offset + row * size, count * size, bytes), slice);
    if (shape.length === 1 && naming === "gguf") for (let i = 0; i < width; i++) slice[i]! -= 1;
    yield slice;
  }
}

/** W + scale · B A, in slices of whole rows that share one buffer. Each element is summed in f64 and rounded once to f32. */
export function* mergedRows(stored: MatchedTensor, pair: PeftPair, naming: Naming): Generator<Float32Array, void> {
  const width = stored.shape[1]!;
  const a = readFloats(pair.a); // [r, in]
  const b = readFloats(pair.b); // [out, r]
  const rank = pair.a.info.shape[0]!;
  const update = new Float64Array(width);
  let row = 0;
  for (const slice of weightRows(stored, naming)) {
    for (let at = 0; at < slice.length; at += width, row++) {
      update.fill(0);
      for (let r = 0; r < rank; r++) {
        const factor = pair.scale * b[row * rank + r]!;
        for (let i = 0; i < width; i++) update[i]! += factor * a[r * width + i]!;
      }
      for (let i = 0; i < width; i++) slice[at + i]! += update[i]!;
    }
    yield slice;
  }
}
