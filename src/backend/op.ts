import type { Rng } from "../base/rng.js";
import type { Backend } from "./backend.js";

/** Largest error that the conformance suite accepts; see `Output` for what an error is measured against. */
export interface Tolerance {
  readonly f32: number;
  /**
   * With `activations: "int8"`. Where an op quantises activations the reference does so too, and this is not the
   * quantisation error.
   */
  readonly int8?: number;
}

/** What an op computed in a case. Integers must be equal; NaN equals NaN and an infinity itself. */
export interface Output {
  readonly values: Float32Array | Int32Array;
  /** An element's error is |got - reference| / magnitude. Absent: 1 + |reference|. Given where terms may cancel. */
  readonly magnitude?: Float32Array;
}

export type Outputs = Readonly<Record<string, Output>>;

/**
 * The contract of one operation: what must hold before it runs, and the cases that every backend passes.
 * `check` runs once, before dispatch, for every backend: kernels may assume that it has passed.
 */
export interface Op<Args extends readonly unknown[], Case> {
  readonly name: string;
  check(...args: Args): void;
  readonly tolerance: Tolerance;
  readonly cases: readonly Case[];
  /** Makes inputs from the seeded `rng`, runs the op on `backend` and returns its outputs. Its tensors die with the case. */
  run(backend: Backend, c: Case, rng: Rng): Promise<Outputs>;
}

export function defineOp<Args extends readonly unknown[], Case>(op: Op<Args, Case>): Op<Args, Case> {
  return op;
}
