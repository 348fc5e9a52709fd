import { expectDistinct, expectFinite, expectMatrix, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";

export interface LoraDeltaGradients {
  readonly dx: Tensor | null; // f32 [T, K], overwritten, or added to with `accumulate`; null: not wanted
  readonly da: Tensor; //        f32 [r, K], added to
  readonly db: Tensor; //        f32 [N, r], added to
}

/**
 * The gradients of loraDelta. Computed in f32. With u[t] = scale · Bᵀ dOut[t]:
 *
 *     da += sum_t u[t] x[t]ᵀ,  db += scale · sum_t dOut[t] (A x[t])ᵀ,  dx[t] = Aᵀ u[t]
 *
 * @param out        where they go; distinct from the inputs
 * @param dOut       f32 [T, N]: it passes on to what loraDelta added to, unchanged
 * @param x          f32 [T, K]
 * @param a          f32 [r, K]
 * @param b          f32 [N, r]
 * @param scale      as loraDelta had it
 * @param accumulate whether dx is added to
 */
export type LoraDeltaBackward = (
  out: LoraDeltaGradients,
  dOut: Tensor,
  x: Tensor,
  a: Tensor,
  b: Tensor,
  scale: number,
  accumulate: boolean,
) => void;

interface LoraDeltaBackwardCase {
  readonly T: number;
  readonly N: number;
  readonly K: number;
  readonly r: number;
  readonly scale: number;
  readonly start?: number;
  readonly dx: "overwrite" | "accumulate" | "none";
}

export const loraDeltaBackward = defineOp<Parameters<LoraDeltaBackward>, LoraDeltaBackwardCase>({
  name: "loraDeltaBackward",
  check(out, dOut, x, a, b, scale) {
    const rows = rowsOf(x);
    const width = widthOf(x);
    const outWidth = widthOf(dOut);
    const rank = rowsOf(a);
    expectMatrix("loraDeltaBackward", "x", x, rows, width, "T, K");
    expectMatrix("loraDeltaBackward", "dOut", dOut, rows, outWidth, "T, N");
    expectMatrix("loraDeltaBackward", "a", a, rank, width, "r, K");
    expectMatrix("loraDeltaBackward", "b", b, outWidth, rank, "N, r");
    expectMatrix("loraDeltaBackward", "out.da", out.da, rank, width, "r, K");
    expectMatrix("loraDeltaBackward", "out.db", out.db, outWidth, rank, "N, r");
    expectFinite("loraDeltaBackward", "scale", scale);
    if (out.dx === null) return;
    expectMatrix("loraDeltaBackward", "out.dx", out.dx, rows, width, "T, K");
    expectDistinct("loraDeltaBackward", out.dx, "dOut", dOut);
    expectDistinct("loraDeltaBackward", out.dx, "x", x);
  },
  tolerance: { f32: 1e-6 }, // of |out before| + the sum of the absolute values of the terms
  cases: [
    { T: 0, N: 4, K: 4, r: 2, scale: 1, dx: "overwrite" },
    { T: 1, N: 1, K: 1, r: 1, scale: 2, dx: "accumulate" },
    { T: 1, N: 7, K: 15, r: 3, scale: 0.5, dx: "overwrite", start: 1 },
    { T: 3, N: 16, K: 17, r: 8, scale: 2, dx: "accumulate", start: 3 },
    { T: 33, N: 33, K: 31, r: 5, scale: -1.5, dx: "none" },
    { T: 5, N: 17, K: 33, r: 16, scale: 0, dx: "overwrite" },
    { T: 40, N: 256, K: 640, r: 16, scale: 2, dx: "accumulate" },
    { T: 9, N: 640, K: 256, r: 64, scale: 0.25, dx: "overwrite" },
    { T: 3, N: 4, K: 5, r: 0, scale: 1, dx: "overwrite" }, // zeros
    { T: 3, N: 0, K: 5, r: 2, scale: 1, dx: "overwrite" },
    { T: 300, N: 37, K: 50, r: 9, scale: 2, dx: "accumulate", start: 1 }, // rows are summed in parts
    { T: 4200, N: 3, K: 5, r: 2, scale: 1, dx: "overwrite" }, // larger parts
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const dOut = randomValues(rng, c.T * c.N);
    const x = randomValues(rng, c.T * c.K);
    const a = randomValues(rng, c.r * c.K);
    const b = randomValues(rng, c.N * c.r);
    const daBefore = randomValues(rng, c.r * c.K);
    const dbBefore = randomValues(rng, c.N * c.r);
    const dxBefore = c.dx === "accumulate" ? randomValues(rng, c.T * c.K) : new Float32Array(c.T * c.K);
    const da = tensors.input([c.r, c.K], daBefore);
    const db = tensors.input([c.N, c.r], dbBefore);
    const dxShape = [c.T, c.K];
    const dx = c.dx === "accumulate" ? tensors.input(dxShape, dxBefore) : tensors.output("f32", dxShape);
    be.loraDeltaBackward(
      { dx: c.dx === "none" ? null : dx, da, db },
      tensors.input([c.T, c.N], dOut),
      tensors.input([c.T, c.K], x),
      tensors.input([c.r, c.K], a),
      tensors.input([c.N, c.r], b),
      c.scale,
      c.dx === "accumulate",
    );

    const sizes = { da: daBefore.map(Math.abs), db: dbBefore.map(Math.abs), dx: dxBefore.map(Math.abs) };
    const scale = Math.abs(c.scale);
    for (let t = 0; t < c.T; t++) {
      for (let i = 0; i < c.r; i++) {
        let u = 0;
        let inner = 0;
        for (let n = 0; n < c.N; n++) u += Math.abs(b[n * c.r + i]! * dOut[t * c.N + n]!);
        for (let k = 0; k < c.K; k++) inner += Math.abs(a[i * c.K + k]! * x[t * c.K + k]!);
        for (let k = 0; k < c.K; k++) {
          sizes.da[i * c.K + k]! += scale * u * Math.abs(x[t * c.K + k]!);
          sizes.dx[t * c.K + k]! += scale * u * Math.abs(a[i * c.K + k]!);
        }
        for (let n = 0; n < c.N; n++) sizes.db[n * c.r + i]! += scale * inner * Math.abs(dOut[t * c.N + n]!);
      }
    }
    const outputs = {
      da: { values: await tensors.read(da), magnitude: sizes.da },
      db: { values: await tensors.read(db), magnitude: sizes.db },
    };
    if (c.dx === "none") return outputs;
    return { ...outputs, dx: { values: await tensors.read(dx), magnitude: sizes.dx.map((size) => size + 1e-30) } };
  },
});
