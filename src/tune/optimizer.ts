import type { Backend } from "../backend/backend.js";
import type { AdamWState } from "../backend/ops/adam-w.js";
import type { Tensor } from "../backend/tensor.js";
import type { Parameter } from "./parameters.js";

export interface OptimizerOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
}

export const DEFAULT_OPTIMIZER: OptimizerOptions = { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0 };

/** AdamW over parameters. */
export class Optimizer {
  /** Moments of each parameter, in order; with `stepCount` all that a checkpoint needs of it. */
  readonly states: readonly AdamWState[];
  stepCount = 0;
  private readonly squares: Tensor; // [number of parameters]

  /** @throws ERR_OUT_OF_MEMORY */
  constructor(
    private readonly be: Backend,
    private readonly parameters: readonly Parameter[],
    private readonly options: OptimizerOptions = DEFAULT_OPTIMIZER,
  ) {
    this.states = parameters.map(({ value }) => ({
      m: be.tensor("f32", value.shape),
      v: be.tensor("f32", value.shape),
    }));
    this.squares = be.tensor("f32", [parameters.length]);
  }

  /** The norm of all gradients together. */
  async gradientNorm(): Promise<number> {
    for (const [i, { gradient }] of this.parameters.entries()) {
      this.be.sumSquares(this.be.view(this.squares, [1], i), gradient);
    }
    const squares = await this.be.read(this.squares);
    let sum = 0;
    for (const square of squares) sum += square;
    return Math.sqrt(sum);
  }

  /**
   * Changes every parameter by its gradient; packed weights follow.
   * @param gradScale factor on all gradients: limit / norm where the norm is beyond a limit
   */
  step(learningRate: number, gradScale = 1): void {
    this.stepCount += 1;
    const options = { ...this.options, learningRate, gradScale, step: this.stepCount };
    for (const [i, { value, gradient, weight }] of this.parameters.entries()) {
      this.be.adamW(value, this.states[i]!, gradient, options);
      if (weight !== null) this.be.packWeight(weight, value);
    }
  }

  free(): void {
    for (const { m, v } of this.states) {
      this.be.free(m);
      this.be.free(v);
    }
    this.be.free(this.squares);
  }
}
