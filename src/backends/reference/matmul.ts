import type { Activations } from "../../backend/backend.js";
import type { Matmul } from "../../backend/ops/matmul.js";
import type { Weight } from "../../backend/tensor.js";
import { f32, own, ReferenceWeight } from "./memory.js";
import { quantiseGroup } from "./quantise.js";

const BLOCK = 32; // x elements that share a scale

export function matmul(activations: Activations): Matmul {
  return (outTensor, xTensor, weight) => {
    const out = f32(outTensor); // [T, N]
    const x = f32(xTensor); //     [T, K]
    const w = own(weight, ReferenceWeight).data; // [N, K]
    const [outWidth, width] = weight.shape;
    for (let t = 0; t < xTensor.shape[0]!; t++) {
      const row = factorsOf(activations, x.subarray(t * width, (t + 1) * width), weight);
      for (let n = 0; n < outWidth; n++) {
        let sum = 0;
        for (let k = 0; k < width; k++) sum += row[k]! * w[n * width + k]!;
        out[t * outWidth + n] = sum;
      }
    }
  };
}

/** What a row of x is multiplied as. */
export function factorsOf(activations: Activations, row: Float32Array, { dtype }: Weight): Float64Array {
  const quantised = !["F32", "F16", "BF16"].includes(dtype);
  return activations === "int8" && quantised ? throughInt8(row) : Float64Array.from(row);
}

/** What is left of a row after its blocks were quantised. */
function throughInt8(row: Float32Array): Float64Array {
  const result = new Float64Array(row.length);
  for (let start = 0; start < row.length; start += BLOCK) {
    const { scale, codes } = quantiseGroup(row.subarray(start, start + BLOCK));
    for (const [i, code] of codes.entries()) result[start + i] = code * scale;
  }
  return result;
}
