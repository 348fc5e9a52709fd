import type { ForwardOps } from "../../backend/backend.js";
import type { RowPlan } from "../../backend/kv.js";
import { K_ATTENTION, K_MERGE_ATTENTION, K_WRITE_KV } from "./layout.js";
import { f32Bits, type Machine } from "./machine.js";
import { ownCache, ownTensor, type WasmCache } from "./memory.js";

const KV_DTYPE_IDS = { f32: 0, bf16: 1, int8: 2 } as const;
const SEGMENT = 256; //    positions that are summed up apart
const TILE = 16; //        rows × heads that meet a page while it is unpacked
const TILE_HEADS = 8; //   of them heads, at most
const SHARED_ROWS = 4; //  up to so many rows, threads share the segments of one
const STATE_BYTES = 16; // of a segment's state beside its values

export function attentionOps(machine: Machine): Pick<ForwardOps, "writeKv" | "attention"> {
  return {
    writeKv(cacheHandle, layer, kTensor, vTensor, plan) {
      const cache = ownCache(machine, cacheHandle);
      const [k, v] = [ownTensor(machine, kTensor), ownTensor(machine, vTensor)];
      machine.run(K_WRITE_KV, k.shape[0]!, 16, [k.address, v.address, ...pagesOf(machine, cache, layer, plan)]);
    },

    attention(outTensor, qTensor, cacheHandle, layer, plan, { scale, softCap, window }) {
      const cache = ownCache(machine, cacheHandle);
      const [out, q] = [ownTensor(machine, outTensor), ownTensor(machine, qTensor)];
      const rows = q.shape[0]!;
      if (rows === 0) return;
      const { headDim, kvHeads } = cache.layout;
      const heads = q.shape[1]! / headDim;
      const tileHeads = largestDivisor(heads / kvHeads, TILE_HEADS);
      const positions = machine.integers(ownTensor(machine, plan.positions).address, rows);
      const sequences = machine.integers(ownTensor(machine, plan.sequences).address, rows);
      const blocks = rowBlocks(positions, sequences, Math.floor(TILE / tileHeads));
      const tiles = (blocks.length / 2) * (heads / tileHeads);

      const last = positions.reduce((most, position) => Math.max(most, position), 0);
      const isShared = rows <= SHARED_ROWS && machine.threads > 1 && last >= SEGMENT;
      const segments = isShared ? Math.floor(last / SEGMENT) + 1 : 0;
      const stateBytes = STATE_BYTES + Math.ceil(headDim / 4) * 16;
      const partials = isShared ? machine.buffer("partials", rows * heads * segments * stateBytes) : 0;
      const blocksAt = machine.buffer("row blocks", 4 * blocks.length);
      machine.integers(blocksAt, blocks.length).set(blocks);

      const pages = pagesOf(machine, cache, layer, plan);
      const options = [heads, f32Bits(scale), f32Bits(softCap ?? 0), window ?? 0];
      const args = [out.address, q.address, ...pages, ...options, blocksAt, segments, partials, tileHeads];
      machine.run(K_ATTENTION, isShared ? tiles * segments : tiles, 1, args);
      if (isShared) machine.run(K_MERGE_ATTENTION, rows * heads, rows * heads, args);
    },
  };
}

/** The arguments that kernels of the cache share; kernels/kv.ts names them. */
function pagesOf(machine: Machine, cache: WasmCache, layer: number, plan: RowPlan): number[] {
  const { layout, layers } = cache;
  const group = layout.layerGroups[layer]!;
  const { keys, values, keyScales, valueScales } = layers[layer]!;
  const positions = ownTensor(machine, plan.positions);
  const sequences = ownTensor(machine, plan.sequences);
  const table = ownTensor(machine, plan.pageTables[group]);
  const [S, P] = table.shape;
  const sizes = [KV_DTYPE_IDS[layout.dtype], layout.kvHeads, layout.headDim, layout.groupPages[group]!];
  const places = [positions.address, sequences.address, table.address, S!, P!];
  return [keys, values, keyScales, valueScales, ...sizes, ...places];
}

/** Cuts rows into blocks of one sequence in ascending positions: first row and number of rows of each. */
function rowBlocks(positions: Int32Array, sequences: Int32Array, most: number): number[] {
  const blocks: number[] = [];
  for (let row = 0; row < positions.length; row++) {
    const count = blocks.at(-1) ?? most;
    const joins = sequences[row] === sequences[row - 1] && positions[row]! > positions[row - 1]! && count < most;
    if (joins) blocks[blocks.length - 1]!++;
    else blocks.push(row, 1);
  }
  return blocks;
}

/** The largest divisor of `count` that is at most `most`. */
export function largestDivisor(count: number, most: number): number {
  for (let divisor = Math.min(count, most); divisor > 1; divisor--) if (count % divisor === 0) return divisor;
  return 1;
}
