import { roundToBf16 } from "../../base/bf16.js";
import { STORED_DTYPES, type StoredDtype } from "../../base/dtype.js";
import type { Backend } from "../backend.js";
import { expectDistinct, expectMatrix, rowsOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor, Weight } from "../tensor.js";
import { CaseTensors, type Fill, randomValues } from "../testing/case-tensors.js";
import { randomStoredWeight } from "../testing/stored-weight.js";

/**
 * out[t, n] = sum_k x[t, k] · weight[n, k]. Weights are [out, in] as stored.
 *
 * With `activations: "int8"` and a quantised weight each x row is first quantised in blocks of 32: scale = max|x| / 127,
 * q = round-half-even(x · (127 / max|x|)), each step rounded to f32; a block whose 127 / max|x| overflows counts as
 * zero. The integer products of a group of weights are summed exactly. With bf16
 * weights a backend may round x to bf16 first, half to even, and take denormals for zero. With "f32", and for f32 and f16
 * weights always, x is used as it is and sums are f32 or wider.
 * A row of `out` depends on that row of `x` alone: the order of reduction over k is the same for any T.
 *
 * @param out    f32 [T, N], overwritten; not `x`
 * @param x      f32 [T, K]
 * @param weight [N, K]
 */
export type Matmul = (out: Tensor, x: Tensor, weight: Weight) => void;

interface MatmulCase {
  readonly dtype: StoredDtype;
  readonly T: number;
  readonly N: number;
  readonly K: number;
  readonly start?: number;
  readonly fill?: Fill;
}

/** Sizes around the 16 rows of a panel, the lanes of a register and the 256 elements of a block. */
function sweep(dtype: StoredDtype): MatmulCase[] {
  return [
    { dtype, T: 1, N: 1, K: 256 },
    { dtype, T: 1, N: 33, K: 512, start: 1 },
    { dtype, T: 2, N: 16, K: 256 },
    { dtype, T: 3, N: 15, K: 768, start: 3 },
    { dtype, T: 7, N: 17, K: 256 },
    { dtype, T: 19, N: 49, K: 1280 },
  ];
}

export const matmul = defineOp<Parameters<Matmul>, MatmulCase>({
  name: "matmul",
  check(out, x, weight) {
    const rows = rowsOf(x);
    expectMatrix("matmul", "x", x, rows, weight.shape[1], "T, K");
    expectMatrix("matmul", "out", out, rows, weight.shape[0], "T, N");
    expectDistinct("matmul", out, "x", x);
  },
  // Of sum_k |x · w|, since the terms cancel. int8: products of a group are exact, but where a format has minima,
  // scale · q - minimum is summed in two parts that may be larger than their difference.
  tolerance: { f32: 1e-6, int8: 2e-6 },
  cases: [
    ...STORED_DTYPES.flatMap(sweep),
    ...(["F32", "F16", "BF16"] as const).flatMap((dtype): MatmulCase[] => [
      { dtype, T: 1, N: 1, K: 1 },
      { dtype, T: 2, N: 3, K: 7, start: 1 },
      { dtype, T: 1, N: 17, K: 15 },
      { dtype, T: 5, N: 16, K: 17, start: 3 },
      { dtype, T: 4, N: 31, K: 33 },
    ]),
    ...(["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "MXFP4"] as const).flatMap((dtype): MatmulCase[] => [
      { dtype, T: 1, N: 7, K: 32 }, // one block
      { dtype, T: 4, N: 18, K: 96, start: 2 },
      { dtype, T: 9, N: 16, K: 640 },
    ]),
    ...(["F32", "Q8_0", "Q4_K"] as const).flatMap((dtype): MatmulCase[] => [
      { dtype, T: 0, N: 16, K: 256 },
      { dtype, T: 2, N: 17, K: 256, fill: "zero" },
      { dtype, T: 2, N: 17, K: 256, fill: "large" },
      { dtype, T: 2, N: 17, K: 256, fill: "tiny" },
      { dtype, T: 2, N: 17, K: 256, fill: "denormal" },
    ]),
    { dtype: "Q8_0", T: 3, N: 16, K: 256, fill: "halves" }, // codes are ties: half to even
    { dtype: "Q4_1", T: 3, N: 17, K: 96, fill: "halves" },
    // Gemma 3 270M: q, FFN in, FFN out, a part of the head.
    { dtype: "Q5_0", T: 1, N: 1024, K: 640 },
    { dtype: "Q5_0", T: 33, N: 2048, K: 640 },
    { dtype: "Q6_K", T: 5, N: 640, K: 2048 },
    { dtype: "Q8_0", T: 1, N: 4096, K: 640 },
    // Gemma 2B: attention out, a part of FFN out.
    { dtype: "Q4_K", T: 1, N: 2048, K: 2048 },
    { dtype: "BF16", T: 2, N: 64, K: 16384 },
    { dtype: "Q4_K", T: 3, N: 64, K: 16384 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const weight = be.weight(randomStoredWeight(c.dtype, [c.N, c.K], rng));
    const values = roundedFor(be, [c.dtype], randomValues(rng, c.T * c.K, c.fill));
    const x = tensors.input([c.T, c.K], values);
    const out = tensors.output("f32", [c.T, c.N]);
    be.matmul(out, x, weight);
    return {
      out: { values: await tensors.read(out), magnitude: await productMagnitudes(be, values, weight) },
      x: { values: await tensors.read(x) }, // unchanged
    };
  },
});

/** Activations that no backend rounds any further to bf16, where it may. */
export function roundedFor(be: Backend, dtypes: readonly StoredDtype[], x: Float32Array): Float32Array {
  const mayRound = dtypes.includes("BF16") && be.info().activations === "int8";
  return mayRound ? x.map(roundToBf16) : x;
}

/** [T, N]: sum_k |x · w|, and 1e-30 for sums of nothing but denormals. The weights come dequantised out of `embed`. */
export async function productMagnitudes(be: Backend, x: Float32Array, weight: Weight): Promise<Float32Array> {
  const [N, K] = weight.shape;
  const T = x.length / K;
  const ids = be.tensor("i32", [N]);
  be.write(
    ids,
    Int32Array.from({ length: N }, (_, n) => n),
  );
  const rows = be.tensor("f32", [N, K]);
  be.embed(rows, weight, ids, 1);
  const w = (await be.read(rows)) as Float32Array;
  const result = new Float32Array(T * N);
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += Math.abs(x[t * K + k]! * w[n * K + k]!);
      result[t * N + n] = sum + 1e-30;
    }
  }
  return result;
}
