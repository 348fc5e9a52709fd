import type { ForwardOps } from "../../backend/backend.js";
import type { RowPlan } from "../../backend/kv.js";
import type { Gpu } from "./gpu.js";
import { headOps } from "./head-ops.js";
import { multiply } from "./matmul.js";
import { type GpuCache, KV_BITS, ownCache, ownTensor, ownWeight, rowWords } from "./memory.js";
import { RopeTables } from "./rope-tables.js";

const LANES = 64; // of kernels that take an element a lane

/** The operations of one device: where tensors begin, and sizes. Each .wgsl file has its Params in the same order. */
export function gpuOps(gpu: Gpu): ForwardOps {
  const ropeTables = new RopeTables(gpu);
  return {
    ...headOps(gpu),

    embed(outTensor, table, idsTensor, scale) {
      const out = ownTensor(gpu, outTensor);
      const ids = ownTensor(gpu, idsTensor);
      const { parts, dtype, blocks } = ownWeight(gpu, table);
      const [rows, width] = out.shape as [number, number];
      for (const { planes, buffer, firstRow, rows: partRows } of parts) {
        const ints = [...planes, blocks, out.at, ids.at, rows, width, firstRow, partRows, table.shape[0]];
        gpu.run({ name: "embed", dtype }, elements(rows * Math.ceil(width / 4)), ints, [scale], [buffer]);
      }
    },

    matmul(out, x, weight) {
      multiply(gpu, ownTensor(gpu, out), ownTensor(gpu, x), ownWeight(gpu, weight));
    },

    matmuls(outs, x, weights) {
      for (const [i, out] of outs.entries()) {
        multiply(gpu, ownTensor(gpu, out), ownTensor(gpu, x), ownWeight(gpu, weights[i]!));
      }
    },

    gatedMatmul(outTensor, xTensor, wGate, wUp) {
      const out = ownTensor(gpu, outTensor);
      const x = ownTensor(gpu, xTensor);
      const count = out.shape[0]! * out.shape[1]!;
      const up = gpu.scratch(count);
      multiply(gpu, out, x, ownWeight(gpu, wGate));
      multiply(gpu, { at: up }, x, ownWeight(gpu, wUp));
      gpu.run({ name: "geglu" }, elements(count), [out.at, out.at, up, count]);
    },

    rmsNorm(outTensor, xTensor, weightTensor, eps) {
      const out = ownTensor(gpu, outTensor);
      const x = ownTensor(gpu, xTensor);
      const weight = ownTensor(gpu, weightTensor);
      const [rows, width] = x.shape as [number, number];
      gpu.run({ name: "rmsNorm" }, rows, [out.at, x.at, weight.at, rows, width], [eps]);
    },

    add(outTensor, aTensor, bTensor) {
      const out = ownTensor(gpu, outTensor);
      const count = out.shape[0]! * out.shape[1]!;
      const [a, b] = [ownTensor(gpu, aTensor).at, ownTensor(gpu, bTensor).at];
      gpu.run({ name: "add" }, elements(count), [out.at, a, b, count]);
    },

    geglu(outTensor, gateTensor, upTensor) {
      const out = ownTensor(gpu, outTensor);
      const count = out.shape[0]! * out.shape[1]!;
      const [gate, up] = [ownTensor(gpu, gateTensor).at, ownTensor(gpu, upTensor).at];
      gpu.run({ name: "geglu" }, elements(count), [out.at, gate, up, count]);
    },

    gatherRows(outTensor, xTensor, rowsTensor) {
      const out = ownTensor(gpu, outTensor);
      const x = ownTensor(gpu, xTensor);
      const rows = ownTensor(gpu, rowsTensor);
      const [R, D] = out.shape as [number, number];
      gpu.run({ name: "gatherRows" }, elements(R * D), [out.at, x.at, rows.at, R, x.shape[0]!, D]);
    },

    loraDelta(outTensor, xTensor, aTensor, bTensor, scale) {
      const out = ownTensor(gpu, outTensor);
      const x = ownTensor(gpu, xTensor);
      const a = ownTensor(gpu, aTensor);
      const b = ownTensor(gpu, bTensor);
      const [T, K] = x.shape as [number, number];
      const [N, rank] = b.shape as [number, number];
      const inner = gpu.scratch(T * rank);
      const ints = [out.at, x.at, a.at, b.at, inner, T, K, N, rank];
      gpu.run({ name: "loraDelta", entry: "inner" }, T * rank, ints, [scale]);
      gpu.run({ name: "loraDelta", entry: "outer" }, elements(T * N), ints, [scale]);
    },

    rope(xTensor, positionsTensor, options) {
      const x = ownTensor(gpu, xTensor);
      const positions = ownTensor(gpu, positionsTensor);
      const [rows, width] = x.shape as [number, number];
      const heads = width / options.headDim;
      const ints = [x.at, positions.at, rows, heads, options.headDim / 2];
      gpu.run({ name: "rope" }, elements((rows * width) / 2), ints, [], [ropeTables.get(options)]);
    },

    writeKv(kvCache, layer, kTensor, vTensor, plan) {
      const cache = ownCache(gpu, kvCache);
      const k = ownTensor(gpu, kTensor);
      const v = ownTensor(gpu, vTensor);
      const { dtype, kvHeads } = cache.layout;
      const constants = { CACHE_BITS: KV_BITS[dtype] };
      const groups = [kvHeads, k.shape[0]!, 2] as const;
      const ints = [k.at, v.at, ...placesOf(gpu, cache, layer, plan)];
      gpu.run({ name: "writeKv", constants }, groups, ints, [], cache.layers[layer]);
    },

    attention(outTensor, qTensor, kvCache, layer, plan, { scale, softCap, window }) {
      const cache = ownCache(gpu, kvCache);
      const out = ownTensor(gpu, outTensor);
      const q = ownTensor(gpu, qTensor);
      const { dtype, headDim } = cache.layout;
      const heads = q.shape[1]! / headDim;
      const words = rowWords(cache.layout);
      const constants = { CACHE_BITS: KV_BITS[dtype], ROW_WORDS: words, WORDS_A_LANE: Math.ceil(words / LANES) };
      const ints = [out.at, q.at, ...placesOf(gpu, cache, layer, plan), heads, window ?? 0];
      const groups = [heads, q.shape[0]!, 1] as const;
      gpu.run({ name: "attention", constants }, groups, ints, [scale, softCap ?? 0], cache.layers[layer]);
    },
  };
}

/** Workgroups for so many elements. */
export function elements(count: number): number {
  return Math.ceil(count / LANES);
}

/** What kernels read of a plan for one layer, and of the cache. */
function placesOf(gpu: Gpu, cache: GpuCache, layer: number, plan: RowPlan): number[] {
  const { layerGroups, groupPages, kvHeads, headDim } = cache.layout;
  const group = layerGroups[layer]!;
  const table = ownTensor(gpu, plan.pageTables[group]);
  const [sequences, width] = table.shape as [number, number];
  const [positions, rows] = [ownTensor(gpu, plan.positions).at, ownTensor(gpu, plan.sequences).at];
  return [positions, rows, table.at, sequences, width, groupPages[group]!, kvHeads, headDim];
}
