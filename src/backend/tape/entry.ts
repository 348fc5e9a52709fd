import type { Tensor } from "../tensor.js";
import type { Target } from "./gradients.js";

/** What an op does to memory, how it runs, and how its gradient goes back. */
export interface Entry {
  /** Values it reads and has a gradient in. An op in place lists its tensor here and in `overwrites`. */
  readonly reads: readonly Tensor[];
  readonly overwrites: readonly Tensor[];
  /** Values it adds to: their gradient passes on unchanged. */
  readonly accumulates?: readonly Tensor[];
  /** Values that its backward needs, as they are before it runs. */
  readonly saves: readonly Tensor[];
  /** Whether its result depends on something trainable besides `reads`. */
  trains(): boolean;
  run(how: RunContext): void;
  /** Called in reverse when a gradient may have come in. */
  backward(g: BackwardContext): void;
}

export interface RunContext {
  /** Whether the op's gradient will be asked for: it may keep more than `saves`. */
  readonly isRecorded: boolean;
  /** Memory that lives until the op's backward has run. */
  keep(shape: readonly number[]): Tensor;
  /** Scratch for the time of `use`. */
  scratch(shape: readonly number[], use: (tensor: Tensor) => void): void;
}

export interface BackwardContext {
  /** The saved value i, as the op found it. */
  saved(i: number): Tensor;
  /** Memory i that the op kept. */
  kept(i: number): Tensor;
  /** Whether the gradient in reads[i] is wanted. */
  wants(i: number): boolean;
  /** The gradient of what the op overwrote; null: nothing depends on it. Before this op the memory has none. */
  take(out: Tensor): Tensor | null;
  /** The gradient of what the op added to. */
  peek(out: Tensor): Tensor | null;
  /** Where an op that can add writes the gradient in a value. */
  target(x: Tensor): Target;
  /** The gradient in a value, for an op that only adds. */
  summed(x: Tensor): Tensor;
  /** Where an op that only overwrites writes; added to the gradient in x when `compute` returns. */
  overwrite(x: Tensor, compute: (dx: Tensor) => void): void;
  /** Adds a gradient to that in x. */
  deposit(x: Tensor, gradient: Tensor): void;
  /** Scratch for the time of `use`. */
  scratch(shape: readonly number[], use: (tensor: Tensor) => void): void;
}
