import type { Backend } from "../backend/backend.js";
import type { Tensor } from "../backend/tensor.js";

/** The seven matrices of a block that an adapter may change. */
export const PROJECTIONS = ["q", "k", "v", "o", "gate", "up", "down"] as const;
export type Projection = (typeof PROJECTIONS)[number];

/** One low-rank pair: W' = W + scale · B A. */
export interface LoraPair {
  readonly a: Tensor; // [r, in]
  readonly b: Tensor; // [out, r]
  readonly scale: number;
}

/** A PEFT LoRA adapter on a backend, unmerged. */
export interface Adapter {
  readonly name: string;
  /** Pairs of each layer. */
  readonly layers: readonly ReadonlyMap<Projection, LoraPair>[];
}

/** One adapter's pairs in one layer, bound to the rows [start, start + count) of a step that use it. */
export class LayerLora {
  constructor(
    private readonly pairs: ReadonlyMap<Projection, LoraPair>,
    private readonly start: number,
    private readonly count: number,
  ) {}

  /** Adds the update of projection `name` to this adapter's rows of out [T, N], from x [T, K]. */
  apply(be: Backend, name: Projection, out: Tensor, x: Tensor): void {
    const pair = this.pairs.get(name);
    if (pair) be.loraDelta(this.rows(be, out), this.rows(be, x), pair.a, pair.b, pair.scale);
  }

  private rows(be: Backend, t: Tensor): Tensor {
    const width = t.shape[1]!;
    return be.view(t, [this.count, width], this.start * width);
  }
}
