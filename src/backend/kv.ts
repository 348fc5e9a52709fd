import type { Tensor } from "./tensor.js";

/** Positions in a page. */
export const PAGE_ROWS = 16;

export const KV_DTYPES = ["f32", "bf16", "int8"] as const;
/**
 * Values are rounded to nearest, ties to even. int8 keeps one f32 scale per row and key/value head, largest magnitude
 * / 127, and rounds x · (127 / largest magnitude), each step in f32; where that quotient overflows, all are zero.
 */
export type KvDtype = (typeof KV_DTYPES)[number];

/**
 * The shape of a paged cache. Layers with the same attention span form a group; a page of a group holds PAGE_ROWS
 * positions of one sequence for every layer of that group. Groups have page numbers of their own, so that a
 * sliding-window group gives back pages behind its window while the global group keeps them.
 */
export interface KvLayout {
  readonly dtype: KvDtype;
  readonly kvHeads: number; // K
  readonly headDim: number; // H
  /** Group of each layer. */
  readonly layerGroups: readonly number[];
  /** Number of pages of each group. Memory of pages never written is not committed where the system allows it. */
  readonly groupPages: readonly number[];
}

export interface KvCache {
  readonly layout: KvLayout;
  readonly sizeBytes: number;
}

/**
 * Where rows of a step stand. They come from any mix of sequences: prefill chunks and decode tokens together. Rows of
 * one sequence are in ascending position and adjacent.
 */
export interface RowPlan {
  readonly positions: Tensor; // i32 [T], position of each row in its sequence, from 0
  readonly sequences: Tensor; // i32 [T], row of the page tables
  /** Per group i32 [S, P]: page number of positions [p * PAGE_ROWS, (p + 1) * PAGE_ROWS), -1 where there is none. */
  readonly pageTables: readonly Tensor[];
}

/** One step as data, uploaded once. */
export interface StepPlan extends RowPlan {
  readonly ids: Tensor; //        i32 [T], token of each row
  readonly outputRows: Tensor; // i32 [R], the rows whose final hidden states are wanted
  readonly outputs: RowPlan; //   the same rows, R of them
}

/** Bytes of one page of one layer: keys and values, and the scales of int8. */
export function pageLayerBytes(layout: Pick<KvLayout, "dtype" | "kvHeads" | "headDim">): number {
  const elements = 2 * PAGE_ROWS * layout.kvHeads * layout.headDim;
  if (layout.dtype === "f32") return elements * 4;
  if (layout.dtype === "bf16") return elements * 2;
  return elements + 2 * PAGE_ROWS * layout.kvHeads * 4;
}
