import type { Backend } from "../backend.js";
import type { RowPlan } from "../kv.js";
import type { Dropout } from "../ops/dropout.js";
import type { Tensor, Weight } from "../tensor.js";
import type { BackwardContext, Entry } from "./entry.js";
import type { Target } from "./gradients.js";

/** The gradient tensor of each trainable tensor or weight. */
export type Trainables = ReadonlyMap<Tensor | Weight, Tensor>;

// What each op of the forward pass saves, overwrites and adds to, and its gradient. Shapes are those of the contracts.

export function embedRule(be: Backend, params: Trainables, ...args: Parameters<Backend["embed"]>): Entry {
  const [out, table, ids, scale] = args;
  return {
    reads: [],
    overwrites: [out],
    saves: [],
    trains: () => params.has(table),
    run: () => be.embed(out, table, ids, scale),
    backward(g) {
      const dOut = g.take(out);
      if (dOut) be.embedBackward(params.get(table)!, dOut, ids, scale);
    },
  };
}

export function rmsNormRule(be: Backend, params: Trainables, ...args: Parameters<Backend["rmsNorm"]>): Entry {
  const [out, x, weight, eps] = args;
  return {
    reads: [x],
    overwrites: [out],
    saves: [x],
    trains: () => params.has(weight),
    run: () => be.rmsNorm(out, x, weight, eps),
    backward(g) {
      const dOut = g.take(out);
      if (!dOut) return;
      const dWeight = params.get(weight) ?? null;
      if (g.wants(0)) {
        const dx = g.target(x);
        be.rmsNormBackward(dx.tensor, dWeight, dOut, g.saved(0), weight, eps, dx.accumulate);
      } else {
        g.scratch(x.shape, (unused) => be.rmsNormBackward(unused, dWeight, dOut, g.saved(0), weight, eps, false));
      }
    },
  };
}

export function addRule(be: Backend, ...[out, a, b]: Parameters<Backend["add"]>): Entry {
  return {
    reads: [a, b],
    overwrites: [out],
    saves: [],
    trains: () => false,
    run: () => be.add(out, a, b),
    backward(g) {
      const dOut = g.take(out);
      if (!dOut) return;
      for (const [i, x] of [a, b].entries()) if (g.wants(i)) g.deposit(x, dOut);
    },
  };
}

/** matmul, and matmuls: several projections of the same rows. */
export function matmulsRule(
  be: Backend,
  params: Trainables,
  outs: readonly Tensor[],
  x: Tensor,
  weights: readonly Weight[],
  run: () => void,
): Entry {
  const trains = () => weights.some((weight) => params.has(weight));
  return {
    reads: [x],
    overwrites: outs,
    saves: trains() ? [x] : [],
    trains,
    run,
    backward(g) {
      for (const [i, out] of outs.entries()) {
        const dOut = g.take(out);
        if (dOut) productBackward(be, params, dOut, weights[i]!, g.wants(0) ? g.target(x) : null, () => g.saved(0));
      }
    },
  };
}

/** The fused product writes neither factor to memory; where gradients are wanted both are computed and kept. */
export function gatedMatmulRule(be: Backend, params: Trainables, ...args: Parameters<Backend["gatedMatmul"]>): Entry {
  const [out, x, wGate, wUp] = args;
  const trains = () => params.has(wGate) || params.has(wUp);
  return {
    reads: [x],
    overwrites: [out],
    saves: trains() ? [x] : [],
    trains,
    run({ isRecorded, keep }) {
      if (!isRecorded) return be.gatedMatmul(out, x, wGate, wUp);
      const [gate, up] = [keep(out.shape), keep(out.shape)];
      be.matmuls([gate, up], x, [wGate, wUp]);
      be.geglu(out, gate, up);
    },
    backward(g) {
      const dGate = g.take(out); // becomes it in place
      if (!dGate) return;
      g.scratch(out.shape, (dUp) => {
        be.gegluBackward(dGate, dUp, dGate, g.kept(0), g.kept(1));
        for (const [dOut, weight] of [[dGate, wGate] as const, [dUp, wUp] as const]) {
          productBackward(be, params, dOut, weight, g.wants(0) ? g.target(x) : null, () => g.saved(0));
        }
      });
    },
  };
}

function productBackward(
  be: Backend,
  params: Trainables,
  dOut: Tensor,
  weight: Weight,
  dx: Target | null,
  x: () => Tensor,
): void {
  if (dx) be.matmulBackward(dx.tensor, dOut, weight, dx.accumulate);
  const dWeight = params.get(weight);
  if (dWeight) be.matmulWeightBackward(dWeight, dOut, x());
}

/** What an adapter's input loses while it is trained. */
export interface InputDropout extends Dropout {
  /** Index of the first element's draw. */
  readonly first: number;
}

/** With dropout the pair sees less of x. What is left is computed anew where it is needed, and never kept. */
export function loraDeltaRule(
  be: Backend,
  params: Trainables,
  dropout: InputDropout | null,
  ...[out, x, a, b, scale]: Parameters<Backend["loraDelta"]>
): Entry {
  const drop = (dropped: Tensor, from: Tensor) => be.dropout(dropped, from, dropout!, dropout!.first);
  return {
    reads: [x],
    overwrites: [],
    accumulates: [out],
    saves: [x],
    trains: () => params.has(a) || params.has(b),
    run({ scratch }) {
      if (dropout === null) return be.loraDelta(out, x, a, b, scale);
      scratch(x.shape, (dropped) => {
        drop(dropped, x);
        be.loraDelta(out, dropped, a, b, scale);
      });
    },
    backward(g) {
      const dOut = g.peek(out);
      if (!dOut) return;
      const compute = (seen: Tensor, dx: Target | null) => {
        const into = (da: Tensor, db: Tensor) => {
          const gradients = { dx: dx?.tensor ?? null, da, db };
          be.loraDeltaBackward(gradients, dOut, seen, a, b, scale, dx?.accumulate ?? false);
        };
        const [da, db] = [params.get(a), params.get(b)];
        if (da && db) into(da, db);
        else g.scratch(a.shape, (unusedA) => g.scratch(b.shape, (unusedB) => into(da ?? unusedA, db ?? unusedB)));
      };
      if (dropout === null) {
        compute(g.saved(0), g.wants(0) ? g.target(x) : null);
        return;
      }
      g.scratch(x.shape, (dropped) => {
        drop(dropped, g.saved(0));
        if (!g.wants(0)) return compute(dropped, null);
        g.scratch(x.shape, (dx) => {
          compute(dropped, { tensor: dx, accumulate: false });
          drop(dx, dx);
          g.deposit(x, dx);
        });
      });
    },
  };
}

export function ropeRule(be: Backend, ...[x, positions, options]: Parameters<Backend["rope"]>): Entry {
  return {
    reads: [x],
    overwrites: [x],
    saves: [],
    trains: () => false,
    run: () => be.rope(x, positions, options),
    backward(g) {
      const dx = g.peek(x); // the gradient turns back in place
      if (dx) be.ropeBackward(dx, positions, options);
    },
  };
}

export function gegluRule(be: Backend, ...[out, gate, up]: Parameters<Backend["geglu"]>): Entry {
  return {
    reads: [gate, up],
    overwrites: [out],
    saves: [gate, up],
    trains: () => false,
    run: () => be.geglu(out, gate, up),
    backward(g) {
      const dOut = g.take(out);
      if (!dOut) return;
      // Either target may be the memory of dOut: both gradients are computed at once.
      into(g, 0, gate, (dGate) => {
        into(g, 1, up, (dUp) => be.gegluBackward(dGate, dUp, dOut, g.saved(0), g.saved(1)));
      });
    },
  };
}

export function gatherRowsRule(be: Backend, ...[out, x, rows]: Parameters<Backend["gatherRows"]>): Entry {
  return {
    reads: [x],
    overwrites: [out],
    saves: [],
    trains: () => false,
    run: () => be.gatherRows(out, x, rows),
    backward(g) {
      const dOut = g.take(out);
      if (dOut && g.wants(0)) be.gatherRowsBackward(g.summed(x), dOut, rows);
    },
  };
}

/** Keys and values of one layer in this step, which are still in the tensors that they were written from. */
export interface WrittenKv {
  readonly k: Tensor;
  readonly v: Tensor;
  readonly plan: RowPlan;
}

export function writeKvRule(be: Backend, ...[cache, layer, k, v, plan]: Parameters<Backend["writeKv"]>): Entry {
  return {
    reads: [],
    overwrites: [],
    saves: [],
    trains: () => false,
    run: () => be.writeKv(cache, layer, k, v, plan),
    backward() {}, // attention's goes to k and v at once
  };
}

/** Attention of a self-contained step: it sees `written` alone, and its gradients go to the tensors of that. */
export function attentionRule(be: Backend, written: WrittenKv, ...args: Parameters<Backend["attention"]>): Entry {
  const [out, q, cache, layer, plan, options] = args;
  const { k, v } = written;
  const { headDim } = cache.layout;
  return {
    reads: [q, k, v],
    overwrites: [out],
    saves: [q, k, v],
    trains: () => false,
    run: () => be.attention(out, q, cache, layer, plan, options),
    backward(g) {
      const dOut = g.take(out);
      if (!dOut) return;
      const compute = (dq: Tensor, dk: Tensor, dv: Tensor) => {
        const values = [g.saved(0), g.saved(1), g.saved(2)] as const;
        be.attentionBackward({ dq, dk, dv }, dOut, ...values, plan, written.plan, { ...options, headDim });
      };
      into(g, 0, q, (dq) => into(g, 1, k, (dk) => into(g, 2, v, (dv) => compute(dq, dk, dv))));
    },
  };
}

/** The gradient in reads[i] for an op that overwrites it; one that is not wanted goes to scratch. */
function into(g: BackwardContext, i: number, x: Tensor, compute: (dx: Tensor) => void): void {
  if (g.wants(i)) g.overwrite(x, compute);
  else g.scratch(x.shape, compute);
}
