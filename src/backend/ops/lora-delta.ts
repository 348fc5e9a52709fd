import { expectDistinct, expectFinite, expectMatrix, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, type Fill, randomValues } from "../testing/case-tensors.js";

/**
 * Adds a low-rank update behind the base matmul: out[t] += scale · B (A x[t]). Computed in f32.
 *
 * @param out   f32 [T, N], added to
 * @param x     f32 [T, K]
 * @param a     f32 [r, K], PEFT's lora_A
 * @param b     f32 [N, r], PEFT's lora_B
 * @param scale alpha / r, or alpha / sqrt(r) for rank-stabilised adapters
 */
export type LoraDelta = (out: Tensor, x: Tensor, a: Tensor, b: Tensor, scale: number) => void;

interface LoraDeltaCase {
  readonly T: number;
  readonly N: number;
  readonly K: number;
  readonly r: number;
  readonly scale: number;
  readonly start?: number;
  readonly fill?: Fill;
}

export const loraDelta = defineOp<Parameters<LoraDelta>, LoraDeltaCase>({
  name: "loraDelta",
  check(out, x, a, b, scale) {
    const rows = rowsOf(x);
    const width = widthOf(x);
    const outWidth = widthOf(out);
    const rank = rowsOf(a);
    expectMatrix("loraDelta", "x", x, rows, width, "T, K");
    expectMatrix("loraDelta", "a", a, rank, width, "r, K");
    expectMatrix("loraDelta", "b", b, outWidth, rank, "N, r");
    expectMatrix("loraDelta", "out", out, rows, outWidth, "T, N");
    expectDistinct("loraDelta", out, "x", x);
    expectFinite("loraDelta", "scale", scale);
  },
  tolerance: { f32: 1e-6 }, // of |out| + scale · Σ|b| Σ|a x|, the terms that may cancel
  cases: [
    { T: 0, N: 4, K: 4, r: 2, scale: 1 },
    { T: 1, N: 1, K: 1, r: 1, scale: 2 },
    { T: 1, N: 7, K: 15, r: 3, scale: 0.5, start: 1 },
    { T: 3, N: 16, K: 17, r: 8, scale: 2, start: 3 },
    { T: 2, N: 33, K: 31, r: 5, scale: -1.5 },
    { T: 5, N: 17, K: 33, r: 16, scale: 0 },
    { T: 2, N: 16, K: 32, r: 4, scale: 2, fill: "large" },
    { T: 2, N: 16, K: 32, r: 4, scale: 2, fill: "zero" },
    { T: 17, N: 1024, K: 640, r: 16, scale: 2 },
    { T: 3, N: 5, K: 4, r: 0, scale: 1 },
    { T: 300, N: 130, K: 40, r: 33, scale: 0.5, start: 1 }, // blocks of rows, pieces of B
    { T: 1, N: 2048, K: 640, r: 64, scale: 0.25 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const outBefore = randomValues(rng, c.T * c.N);
    const x = randomValues(rng, c.T * c.K, c.fill);
    const a = randomValues(rng, c.r * c.K);
    const b = randomValues(rng, c.N * c.r);
    const out = tensors.input([c.T, c.N], outBefore);
    be.loraDelta(
      out,
      tensors.input([c.T, c.K], x),
      tensors.input([c.r, c.K], a),
      tensors.input([c.N, c.r], b),
      c.scale,
    );
    return { out: { values: await tensors.read(out), magnitude: magnitudes(c, outBefore, x, a, b) } };
  },
});

/** [T, N]: the sum of the absolute values of the terms of each element. */
function magnitudes(
  c: LoraDeltaCase,
  out: Float32Array,
  x: Float32Array,
  a: Float32Array,
  b: Float32Array,
): Float32Array {
  const result = new Float32Array(c.T * c.N);
  for (let t = 0; t < c.T; t++) {
    const inner = Array.from({ length: c.r }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < c.K; k++) sum += Math.abs(a[i * c.K + k]! * x[t * c.K + k]!);
      return sum;
    });
    for (let n = 0; n < c.N; n++) {
      let sum = 0;
      for (let i = 0; i < c.r; i++) sum += Math.abs(b[n * c.r + i]!) * inner[i]!;
      result[t * c.N + n] = Math.abs(out[t * c.N + n]!) + Math.abs(c.scale) * sum;
    }
  }
  return result;
}
