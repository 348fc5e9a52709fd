import type { ForwardOps } from "../../backend/backend.js";
import type { RowPlan } from "../../backend/kv.js";
import type { BackendHandle, NativeAddon, PlanArgs } from "./addon.js";
import { type NativeCache, ownCache, ownTensor, ownWeight } from "./memory.js";
import { packSampleRows } from "./pack-sample.js";

/** The operations of one native backend: sizes and handles go down, nothing else. */
export function nativeOps(addon: NativeAddon, be: BackendHandle): ForwardOps {
  return {
    embed(outTensor, table, idsTensor, scale) {
      const out = ownTensor(be, outTensor);
      const ids = ownTensor(be, idsTensor);
      const { handle } = ownWeight(be, table);
      addon.embed(be, out.shape[0]!, scale, handle, out.handle, out.start, ids.handle, ids.start);
    },

    matmul(outTensor, xTensor, weight) {
      const out = ownTensor(be, outTensor);
      const x = ownTensor(be, xTensor);
      const { handle } = ownWeight(be, weight);
      addon.matmul(be, x.shape[0]!, handle, out.handle, out.start, x.handle, x.start);
    },

    matmuls(outs, xTensor, weights) {
      const x = ownTensor(be, xTensor);
      const args: number[] = [];
      for (const [i, outTensor] of outs.entries()) {
        const out = ownTensor(be, outTensor);
        args.push(ownWeight(be, weights[i]!).handle, out.handle, out.start);
      }
      addon.matmuls(be, x.shape[0]!, outs.length, ...args, x.handle, x.start);
    },

    gatedMatmul(outTensor, xTensor, wGate, wUp) {
      const out = ownTensor(be, outTensor);
      const x = ownTensor(be, xTensor);
      const gate = ownWeight(be, wGate).handle;
      const up = ownWeight(be, wUp).handle;
      addon.gatedMatmul(be, x.shape[0]!, gate, up, out.handle, out.start, x.handle, x.start);
    },

    rmsNorm(outTensor, xTensor, weight, eps) {
      const out = ownTensor(be, outTensor);
      const x = ownTensor(be, xTensor);
      const w = ownTensor(be, weight);
      const [T, D] = x.shape;
      addon.rmsNorm(be, T!, D!, eps, out.handle, out.start, x.handle, x.start, w.handle, w.start);
    },

    add(outTensor, aTensor, bTensor) {
      const out = ownTensor(be, outTensor);
      const a = ownTensor(be, aTensor);
      const b = ownTensor(be, bTensor);
      const [T, D] = a.shape;
      addon.add(be, T!, D!, out.handle, out.start, a.handle, a.start, b.handle, b.start);
    },

    geglu(outTensor, gateTensor, upTensor) {
      const out = ownTensor(be, outTensor);
      const gate = ownTensor(be, gateTensor);
      const up = ownTensor(be, upTensor);
      const [T, F] = gate.shape;
      addon.geglu(be, T!, F!, out.handle, out.start, gate.handle, gate.start, up.handle, up.start);
    },

    softCap(xTensor, cap) {
      const x = ownTensor(be, xTensor);
      addon.softCap(be, x.shape[0]!, x.shape[1]!, cap, x.handle, x.start);
    },

    gatherRows(outTensor, xTensor, rowsTensor) {
      const out = ownTensor(be, outTensor);
      const x = ownTensor(be, xTensor);
      const rows = ownTensor(be, rowsTensor);
      const [T, D] = x.shape;
      const R = out.shape[0]!;
      addon.gatherRows(be, R, T!, D!, out.handle, out.start, x.handle, x.start, rows.handle, rows.start);
    },

    rope(xTensor, positionsTensor, { headDim, theta, scalingFactor }) {
      const x = ownTensor(be, xTensor);
      const positions = ownTensor(be, positionsTensor);
      const [T, width] = x.shape;
      const { handle, start } = positions;
      addon.rope(be, false, T!, width!, headDim, theta, scalingFactor, x.handle, x.start, handle, start);
    },

    writeKv(kvCache, layer, kTensor, vTensor, plan) {
      const cache = ownCache(be, kvCache);
      const k = ownTensor(be, kTensor);
      const v = ownTensor(be, vTensor);
      const planArgs = argsOf(be, cache, layer, plan);
      addon.writeKv(be, k.shape[0]!, cache.handle, layer, ...planArgs, k.handle, k.start, v.handle, v.start);
    },

    attention(outTensor, qTensor, kvCache, layer, plan, { scale, softCap, window }) {
      const cache = ownCache(be, kvCache);
      const out = ownTensor(be, outTensor);
      const q = ownTensor(be, qTensor);
      const [T, width] = q.shape;
      const planArgs = argsOf(be, cache, layer, plan);
      const options = [scale, softCap ?? 0, window ?? 0] as const;
      const tensors = [out.handle, out.start, q.handle, q.start] as const;
      addon.attention(be, T!, width!, cache.handle, layer, ...planArgs, ...options, ...tensors);
    },

    loraDelta(outTensor, xTensor, aTensor, bTensor, scale) {
      const out = ownTensor(be, outTensor);
      const x = ownTensor(be, xTensor);
      const a = ownTensor(be, aTensor);
      const b = ownTensor(be, bTensor);
      const [T, K] = x.shape;
      const [N, r] = b.shape;
      const inputs = [x.handle, x.start, a.handle, a.start, b.handle, b.start] as const;
      addon.loraDelta(be, T!, K!, N!, r!, scale, out.handle, out.start, ...inputs);
    },

    logProbs(out, logitsTensor, targetsTensor) {
      const logProbs = ownTensor(be, out.logProbs);
      const ids = ownTensor(be, out.topIds);
      const top = ownTensor(be, out.topLogProbs);
      const logits = ownTensor(be, logitsTensor);
      const targets = ownTensor(be, targetsTensor);
      const [R, V] = logits.shape;
      const outputs = [logProbs.handle, logProbs.start, ids.handle, ids.start, top.handle, top.start] as const;
      const inputs = [logits.handle, logits.start, targets.handle, targets.start] as const;
      addon.logProbs(be, R!, V!, ids.shape[1]!, ...outputs, ...inputs);
    },

    sample(outTensor, logitsTensor, rows) {
      const out = ownTensor(be, outTensor);
      const logits = ownTensor(be, logitsTensor);
      const [R, V] = logits.shape;
      const { numbers, ids, biasValues, masks } = packSampleRows(rows, V!);
      const tensors = [out.handle, out.start, logits.handle, logits.start] as const;
      addon.sample(be, R!, V!, numbers, ids, biasValues, masks, ...tensors);
    },

    chooseIds(outTensor, xTensor, head, softCap, rows) {
      const out = ownTensor(be, outTensor);
      const x = ownTensor(be, xTensor);
      const { handle } = ownWeight(be, head);
      const { numbers } = packSampleRows(rows, head.shape[0]);
      addon.chooseIds(be, rows.length, handle, softCap ?? 0, numbers, out.handle, out.start, x.handle, x.start);
    },

    scoreIds(out, xTensor, head, softCap, rowsTensor, idsTensor) {
      const logProbs = ownTensor(be, out.logProbs);
      const topIds = ownTensor(be, out.topIds);
      const top = ownTensor(be, out.topLogProbs);
      const x = ownTensor(be, xTensor);
      const rows = ownTensor(be, rowsTensor);
      const ids = ownTensor(be, idsTensor);
      const { handle } = ownWeight(be, head);
      const outputs = [logProbs.handle, logProbs.start, topIds.handle, topIds.start, top.handle, top.start] as const;
      const inputs = [x.handle, x.start, rows.handle, rows.start, ids.handle, ids.start] as const;
      addon.scoreIds(be, x.shape[0]!, ids.shape[0]!, handle, softCap ?? 0, ...outputs, ...inputs);
    },
  };
}

/** What the native side reads of a plan for one layer. */
function argsOf(be: BackendHandle, cache: NativeCache, layer: number, plan: RowPlan): PlanArgs {
  const positions = ownTensor(be, plan.positions);
  const sequences = ownTensor(be, plan.sequences);
  const table = ownTensor(be, plan.pageTables[cache.layout.layerGroups[layer]!]);
  const [S, P] = table.shape;
  const { handle, start } = table;
  return [S!, P!, positions.handle, positions.start, sequences.handle, sequences.start, handle, start];
}
