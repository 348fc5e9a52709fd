import type { Rng } from "../base/rng.js";
import type { Backend } from "./backend.js";

/** Largest |got - reference| / (1 + |reference|) that the conformance suite accepts. */
export interface Tolerance {
  readonly f32: number;
  /** With `activations: "int8"`; the reference quantises activations too, so this is not the quantisation error. */
  readonly int8?: number;
}

/**
 * The contract of one operation: what must hold before it runs, and the cases that every backend passes.
 * `check` runs once, before dispatch, for every backend: kernels may assume that it has passed.
 */
export interface Op<Args extends readonly unknown[], Case> {
  readonly name: string;
  check(...args: Args): void;
  readonly tolerance: Tolerance;
  readonly cases: readonly Case[];
  /** Makes inputs from the seeded `rng`, runs the op on `backend` and returns its outputs. */
  run(backend: Backend, c: Case, rng: Rng): Promise<Readonly<Record<string, Float32Array | Int32Array>>>;
}

export function defineOp<Args extends readonly unknown[], Case>(op: Op<Args, Case>): Op<Args, Case> {
  return op;
}
