import type { TrainingOps } from "../../backend/backend.js";
import type { Tensor } from "../../backend/tensor.js";
import type { BackendHandle, NativeAddon } from "./addon.js";
import { ownTensor, ownWeight } from "./memory.js";

/** Gradients and what an optimizer's step takes; see ops.ts. */
export function nativeTrainingOps(addon: NativeAddon, be: BackendHandle): TrainingOps {
  /** Handle and start of each. */
  const args = (...tensors: readonly Tensor[]): number[] =>
    tensors.flatMap((tensor) => {
      const { handle, start } = ownTensor(be, tensor);
      return [handle, start];
    });
  const scatterAdd = (out: Tensor, rows: Tensor, indices: Tensor, scale: number): void => {
    const [count, width] = out.shape;
    addon.scatterAdd(be, rows.shape[0]!, count!, width!, scale, ...args(out, rows, indices));
  };
  return {
    embedBackward: (dTable, dOut, ids, scale) => scatterAdd(dTable, dOut, ids, scale),

    gatherRowsBackward: (dx, dOut, rows) => scatterAdd(dx, dOut, rows, 1),

    rmsNormBackward(dx, dWeight, dOut, x, weight, eps, accumulate) {
      const [T, D] = x.shape;
      const tensors = args(dx, dWeight ?? dx, dOut, x, weight);
      addon.rmsNormBackward(be, T!, D!, eps, accumulate, dWeight !== null, ...tensors);
    },

    matmulBackward(dx, dOut, weight, accumulate) {
      const { handle } = ownWeight(be, weight);
      addon.matmulBackward(be, dOut.shape[0]!, accumulate, handle, ...args(dx, dOut));
    },

    matmulWeightBackward(dWeight, dOut, x) {
      const [N, K] = dWeight.shape;
      addon.matmulWeightBackward(be, x.shape[0]!, N!, K!, ...args(dWeight, dOut, x));
    },

    loraDeltaBackward({ da, db, dx }, dOut, x, a, b, scale, accumulate) {
      const [T, K] = x.shape;
      const [N, r] = b.shape;
      const tensors = args(da, db, dx ?? da, dOut, x, a, b);
      addon.loraDeltaBackward(be, T!, K!, N!, r!, scale, dx !== null, accumulate, ...tensors);
    },

    ropeBackward(dx, positions, { headDim, theta, scalingFactor }) {
      const [T, width] = dx.shape;
      const [x, at] = [ownTensor(be, dx), ownTensor(be, positions)];
      addon.rope(be, true, T!, width!, headDim, theta, scalingFactor, x.handle, x.start, at.handle, at.start);
    },

    attentionBackward({ dq, dk, dv }, dOut, q, k, v, queries, keys, { headDim, scale, softCap, window }) {
      const [R, width] = q.shape;
      const [T, keyWidth] = k.shape;
      const sizes = [R!, T!, width! / headDim, keyWidth! / headDim, headDim];
      const places = args(queries.positions, queries.sequences, keys.positions, keys.sequences);
      const tensors = [...args(dq, dk, dv, dOut, q, k, v), ...places];
      addon.attentionBackward(be, ...sizes, scale, softCap ?? 0, window ?? 0, ...tensors);
    },

    crossEntropy({ losses, dx, dHead }, x, head, softCap, targets, weights) {
      const { handle } = ownWeight(be, head);
      const tensors = args(losses, dx, dHead ?? dx, x, targets, weights);
      addon.crossEntropy(be, x.shape[0]!, softCap ?? 0, handle, dHead !== null, ...tensors);
    },

    dropout(out, x, { rate, seed }, first) {
      addon.dropout(be, elementsOf(x), rate, seed, first, ...args(out, x));
    },

    packWeight(weight, values) {
      addon.packWeight(be, ownWeight(be, weight).handle, ...args(values));
    },

    gegluBackward(dGate, dUp, dOut, gate, up) {
      const [T, F] = dOut.shape;
      addon.gegluBackward(be, T!, F!, ...args(dGate, dUp, dOut, gate, up));
    },

    adamW(parameter, { m, v }, gradient, o) {
      const numbers = [o.learningRate, o.beta1, o.beta2, o.eps, o.weightDecay, o.step, o.gradScale];
      addon.adamW(be, elementsOf(parameter), ...numbers, ...args(parameter, m, v, gradient));
    },

    sumSquares(out, x) {
      addon.sumSquares(be, elementsOf(x), ...args(out, x));
    },

    scale(out, x, factor) {
      addon.scale(be, elementsOf(x), factor, ...args(out, x));
    },
  };
}

function elementsOf({ shape }: Tensor): number {
  return shape.reduce((product, size) => product * size, 1);
}
