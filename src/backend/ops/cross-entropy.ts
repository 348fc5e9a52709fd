import type { StoredDtype } from "../../base/dtype.js";
import type { Backend } from "../backend.js";
import { expectDistinct, expectMatrix, expectPositive, expectVector, rowsOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor, Weight } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";
import { randomStoredWeight, weightValues } from "../testing/stored-weight.js";

export interface CrossEntropyOutput {
  readonly losses: Tensor; //       f32 [R], overwritten: -log p(targets[r]) in nats, not weighted
  readonly dx: Tensor; //           f32 [R, D], overwritten: the gradient of weights[r] · losses[r]; not `x`
  readonly dHead: Tensor | null; // f32 [V, D], added to: the gradient of sum_r weights[r] · losses[r]; null: frozen
}

/**
 * The head, the loss of each row and its gradients in one:
 *
 *     logits = x · headᵀ, capped (softCap);  losses[r] = log sum_v exp(logits[r, v]) - logits[r, targets[r]]
 *     dlogits[r] = weights[r] · (softmax(logits[r]) - onehot(targets[r])), through the cap;  dx = dlogits · head
 *
 * Logits are made once, for a few rows at a time: a backend never holds all of them. A row whose target is outside the
 * vocabulary (-1, by custom) is left out: its loss and dx are 0. Logits are those of matmul, whatever the activations. With
 * activations other than "f32" a backend may, for the gradients, round the head to bf16 and leave ids out of dlogits that
 * are less likely than 2^-22 in their row.
 *
 * @param x       f32 [R, D]
 * @param head    [V, D]
 * @param softCap > 0, or null for none
 * @param targets i32 [R]
 * @param weights f32 [R]: 1 / the number of targets for their mean
 */
export type CrossEntropy = (
  out: CrossEntropyOutput,
  x: Tensor,
  head: Weight,
  softCap: number | null,
  targets: Tensor,
  weights: Tensor,
) => void;

interface CrossEntropyCase {
  readonly dtype: StoredDtype;
  readonly V: number;
  readonly D: number;
  readonly targets: readonly number[]; // R of them
  readonly cap?: number;
  readonly start?: number;
  readonly trainsHead?: boolean;
}

const OP = "crossEntropy";

export const crossEntropy = defineOp<Parameters<CrossEntropy>, CrossEntropyCase>({
  name: OP,
  check(out, x, head, softCap, targets, weights) {
    const rows = rowsOf(x);
    const [vocabulary, width] = head.shape;
    expectMatrix(OP, "x", x, rows, width, "R, D");
    expectMatrix(OP, "out.dx", out.dx, rows, width, "R, D");
    expectVector(OP, "out.losses", out.losses, rows, "R");
    if (out.dHead !== null) expectMatrix(OP, "out.dHead", out.dHead, vocabulary, width, "V, D");
    expectDistinct(OP, out.dx, "x", x);
    if (softCap !== null) expectPositive(OP, "softCap", softCap);
    expectVector(OP, "targets", targets, rows, "R", "i32");
    expectVector(OP, "weights", weights, rows, "R");
  },
  // Of the gradients' terms, and of 1 + |loss|. int8: a head rounded to bf16.
  tolerance: { f32: 2e-5, int8: 5e-3 },
  cases: [
    { dtype: "F32", V: 1, D: 1, targets: [0] },
    { dtype: "F32", V: 5, D: 8, targets: [] },
    { dtype: "F32", V: 33, D: 17, targets: [32, 0, -1, 7], start: 1, trainsHead: true },
    { dtype: "BF16", V: 300, D: 33, targets: [299, -1, -1, 8, 33], cap: 3, start: 3 },
    { dtype: "F32", V: 300, D: 64, targets: [5, 5, 300, -5], cap: 30, trainsHead: true },
    { dtype: "Q8_0", V: 1030, D: 96, targets: Array.from({ length: 37 }, (_, r) => (r * 311) % 1030) },
    { dtype: "Q6_K", V: 515, D: 512, targets: [1, 2, 3] },
    { dtype: "BF16", V: 4099, D: 64, targets: [4098, 0], trainsHead: true },
    { dtype: "BF16", V: 40, D: 16, targets: [-1, -1, -1], trainsHead: true },
    { dtype: "Q4_K", V: 290, D: 768, targets: [289, -1, 4] }, // more columns than are unpacked at once
    { dtype: "F32", V: 41, D: 9, targets: Array.from({ length: 601 }, (_, r) => (r % 43) - 1), trainsHead: true }, // chunks
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const R = c.targets.length;
    const head = be.weight(randomStoredWeight(c.dtype, [c.V, c.D], rng));
    // Rows of about unit length: logits stay within a few units whatever the weights' size.
    const x = tensors.input(
      [R, c.D],
      randomValues(rng, R * c.D).map((value) => value / Math.sqrt(c.D)),
    );
    const weights = randomValues(rng, R);
    const before = randomValues(rng, c.V * c.D);
    const out = {
      losses: tensors.output("f32", [R]),
      dx: tensors.output("f32", [R, c.D]),
      dHead: c.trainsHead ? tensors.input([c.V, c.D], before) : null,
    };
    const targets = tensors.input([R], Int32Array.from(c.targets));
    be.crossEntropy(out, x, head, c.cap ?? null, targets, tensors.input([R], weights));

    const slopes = await slopeSizes(be, x, head, c, weights);
    const xValues = await tensors.read(x);
    const headValues = await weightValues(be, head);
    const sizes = { dx: new Float32Array(R * c.D), dHead: before.map(Math.abs) };
    for (let r = 0; r < R; r++) {
      for (let v = 0; v < c.V; v++) {
        const size = slopes[r * c.V + v]!;
        for (let d = 0; d < c.D; d++) {
          sizes.dx[r * c.D + d]! += size * Math.abs(headValues[v * c.D + d]!);
          sizes.dHead[v * c.D + d]! += size * Math.abs(xValues[r * c.D + d]!);
        }
      }
    }
    const losses = { values: await tensors.read(out.losses) };
    const dx = { values: await tensors.read(out.dx), magnitude: sizes.dx };
    if (out.dHead === null) return { losses, dx };
    return { losses, dx, dHead: { values: await tensors.read(out.dHead), magnitude: sizes.dHead } };
  },
});

/** |dlogits| [R, V], by logits of the backend's own: how large the terms of the gradients are. */
async function slopeSizes(
  be: Backend,
  x: Tensor,
  head: Weight,
  { V, cap, targets }: CrossEntropyCase,
  weights: Float32Array,
): Promise<Float64Array> {
  const tensor = be.tensor("f32", [targets.length, V]);
  be.matmul(tensor, x, head);
  if (cap !== undefined) be.softCap(tensor, cap);
  const logits = (await be.read(tensor)) as Float32Array;
  const sizes = new Float64Array(targets.length * V);
  for (const [r, target] of targets.entries()) {
    if (target < 0 || target >= V) continue;
    const own = logits.subarray(r * V, (r + 1) * V);
    const max = own.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = own.reduce((sum, logit) => sum + Math.exp(logit - max), 0);
    for (const [v, logit] of own.entries()) {
      const slope = cap === undefined ? 1 : 1 - (logit / cap) ** 2;
      const difference = Math.abs(Math.exp(logit - max) / total - (v === target ? 1 : 0));
      sizes[r * V + v] = Math.abs(weights[r]!) * (difference * slope + 1e-4); // what may be left out counts, too
    }
  }
  return sizes;
}
