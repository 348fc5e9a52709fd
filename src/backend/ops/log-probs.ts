import { expectInteger, expectMatrix, expectVector, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, type Fill, randomValues } from "../testing/case-tensors.js";

export interface LogProbsOutput {
  /** f32 [R]: log p(targets[r]) in nats. */
  readonly logProbs: Tensor;
  /** i32 [R, n]: the n most likely ids, most likely first; equal logits: the lower id first. */
  readonly topIds: Tensor;
  /** f32 [R, n] */
  readonly topLogProbs: Tensor;
}

/**
 * Natural log-probabilities under softmax(logits) of one target a row, and of the n most likely ids.
 * The normaliser is accumulated in f64, or in f32 over blocks of 256 ids and in f64 over the blocks.
 * A target outside 0..V-1 yields NaN (the engine checks ids). In a row with a logit of +infinity or NaN no
 * log-probability means anything: it is NaN, infinite or, beside a NaN, that of the other logits, as the backend has it.
 *
 * @param out     the tensors above; n may be 0 (shape [R, 0])
 * @param logits  f32 [R, V]
 * @param targets i32 [R]
 */
export type LogProbs = (out: LogProbsOutput, logits: Tensor, targets: Tensor) => void;

interface LogProbsCase {
  readonly V: number;
  readonly n: number;
  readonly targets: readonly number[]; // R of them
  readonly start?: number;
  readonly fill?: Fill;
  /** Logits are rounded to whole numbers, so that many are equal. */
  readonly ties?: boolean;
}

export const logProbs = defineOp<Parameters<LogProbs>, LogProbsCase>({
  name: "logProbs",
  check(out, logits, targets) {
    const rows = rowsOf(logits);
    const top = widthOf(out.topIds);
    expectMatrix("logProbs", "logits", logits, rows, widthOf(logits), "R, V");
    expectVector("logProbs", "targets", targets, rows, "R", "i32");
    expectVector("logProbs", "out.logProbs", out.logProbs, rows, "R");
    expectInteger("logProbs", "n", top, 0, widthOf(logits));
    expectMatrix("logProbs", "out.topIds", out.topIds, rows, top, "R, n", "i32");
    expectMatrix("logProbs", "out.topLogProbs", out.topLogProbs, rows, top, "R, n");
  },
  tolerance: { f32: 1e-6 },
  cases: [
    { V: 1, n: 1, targets: [0] },
    { V: 7, n: 7, targets: [6, 0], start: 1 },
    { V: 16, n: 0, targets: [15] },
    { V: 17, n: 1, targets: [16, 2, 2], start: 3 },
    { V: 33, n: 20, targets: [1], ties: true },
    { V: 100, n: 5, targets: [-1, 100, 99] },
    { V: 64, n: 20, targets: [5], fill: "zero" }, // all equal: the lowest ids
    { V: 64, n: 3, targets: [5], fill: "large" },
    { V: 5000, n: 20, targets: [4999, 0, 77], ties: true, start: 2 },
    { V: 262_144, n: 20, targets: [262_143] },
    { V: 262_144, n: 1, targets: [9], fill: "zero" },
    { V: 256_000, n: 0, targets: [1] },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const rows = c.targets.length;
    const values = randomValues(rng, rows * c.V, c.fill).map((value) => (c.ties ? Math.round(3 * value) : 3 * value));
    const out = {
      logProbs: tensors.output("f32", [rows]),
      topIds: tensors.output("i32", [rows, c.n]),
      topLogProbs: tensors.output("f32", [rows, c.n]),
    };
    be.logProbs(out, tensors.input([rows, c.V], values), tensors.input([rows], Int32Array.from(c.targets)));
    return {
      logProbs: { values: await tensors.read(out.logProbs) },
      topIds: { values: await tensors.read(out.topIds) },
      topLogProbs: { values: await tensors.read(out.topLogProbs) },
    };
  },
});
