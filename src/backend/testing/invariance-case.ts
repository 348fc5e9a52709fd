import type { Rng } from "../../base/rng.js";
import type { Backend } from "../backend.js";
import type { Tensor } from "../tensor.js";
import type { CaseTensors } from "./case-tensors.js";

/** What a case runs on: `run` computes rows [start, start + count) of the outputs, in ascending order of start. */
interface Prepared {
  readonly outputs: readonly Tensor[];
  run(start: number, count: number): void;
}

/** An op on T rows. Each output row must have the same bits however the rows are split into calls. */
export interface InvarianceCase {
  readonly name: string;
  readonly rows: number; // T
  /** Equal rngs give equal inputs. */
  prepare(be: Backend, tensors: CaseTensors, rng: Rng): Prepared;
}

/** Rows [start, start + count) of a matrix or a vector. */
export function rowsOfTensor(be: Backend, tensor: Tensor, start: number, count: number): Tensor {
  const [, width] = tensor.shape;
  return width === undefined ? be.view(tensor, [count], start) : be.view(tensor, [count, width], start * width);
}
