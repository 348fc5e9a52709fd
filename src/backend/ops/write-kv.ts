import { GemmaError } from "../../base/errors.js";
import { expectMatrix, expectShape } from "../check.js";
import type { KvCache, StepPlan } from "../kv.js";
import type { Tensor } from "../tensor.js";

/**
 * Writes the keys and values of this step's rows into their pages, rounded to the cache's type. A row whose page is
 * -1 (or outside the cache) is not written.
 *
 * @param cache the paged cache
 * @param layer index of the layer
 * @param k     f32 [T, K*H], after RoPE
 * @param v     f32 [T, K*H]
 * @param plan  positions, sequences and the page table of the layer's group
 */
export type WriteKv = (cache: KvCache, layer: number, k: Tensor, v: Tensor, plan: StepPlan) => void;

export function checkWriteKv(...[cache, layer, k, v, plan]: Parameters<WriteKv>): void {
  const [rows] = expectMatrix("writeKv", "k", k, "T, K*H");
  const width = cache.layout.kvHeads * cache.layout.headDim;
  expectShape("writeKv", "k", k, [rows, width], "T, K*H");
  expectShape("writeKv", "v", v, [rows, width], "T, K*H");
  checkPlan("writeKv", cache, layer, rows, plan);
}

/** What writeKv and attention both need of a plan. */
export function checkPlan(op: string, cache: KvCache, layer: number, rows: number, plan: StepPlan): void {
  expectShape(op, "positions", plan.positions, [rows], "T", "i32");
  expectShape(op, "sequences", plan.sequences, [rows], "T", "i32");
  const group = cache.layout.layerGroups[layer];
  const table = group === undefined ? undefined : plan.pageTables[group];
  if (table?.shape.length !== 2 || table.dtype !== "i32") {
    throw new GemmaError("ERR_SHAPE", `${op}: layer ${layer} must have a page table i32 [S, P] in the plan`);
  }
}
