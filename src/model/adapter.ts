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

/** The adapters of a step, bound to the rows that use them. */
export interface StepLora {
  readonly layers: readonly (readonly LayerLora[])[]; // [layer][run of rows]
  /** Of the last layer, to the step's output rows, [run of rows]. */
  readonly outputs: readonly LayerLora[];
}

/**
 * @param adapters   of each row of the step, null for none
 * @param outputRows numbers of the rows whose final hidden states are wanted
 */
export function stepLora(
  adapters: readonly (Adapter | null)[],
  outputRows: readonly number[],
  numLayers: number,
): StepLora {
  const runs = runsOf(adapters);
  const outputRuns = runsOf(outputRows.map((row) => adapters[row]!));
  const bind = (layer: number, { adapter, start, count }: AdapterRun) =>
    new LayerLora(adapter.layers[layer] ?? new Map(), start, count);
  return {
    layers: Array.from({ length: numLayers }, (_, layer) => runs.map((run) => bind(layer, run))),
    outputs: outputRuns.map((run) => bind(numLayers - 1, run)),
  };
}

interface AdapterRun {
  readonly adapter: Adapter;
  readonly start: number;
  count: number;
}

/** Rows with the same adapter, one behind the other. */
function runsOf(adapters: readonly (Adapter | null)[]): AdapterRun[] {
  const runs: AdapterRun[] = [];
  for (const [row, adapter] of adapters.entries()) {
    const last = runs.at(-1);
    if (adapter && last?.adapter === adapter && last.start + last.count === row) last.count += 1;
    else if (adapter) runs.push({ adapter, start: row, count: 1 });
  }
  return runs;
}

/** One adapter's pairs in one layer, bound to the rows [start, start + count) that use it. */
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
