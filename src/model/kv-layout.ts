import { type KvDtype, type KvLayout, PAGE_ROWS } from "../backend/kv.js";
import type { GemmaConfig } from "./config.js";

/** Page groups: layers that see everything, and layers that see a window. */
export const FULL_GROUP = 0;
export const SLIDING_GROUP = 1;

/** The window of each page group, in positions; null: everything is kept. A model without sliding layers has one group. */
export function groupWindows(config: GemmaConfig): readonly (number | null)[] {
  return config.layerTypes.includes("sliding") ? [null, config.slidingWindow] : [null];
}

/** The cache's shape for `config`. `groupPages` has the number of pages of each group of groupWindows. */
export function kvLayout(config: GemmaConfig, dtype: KvDtype, groupPages: readonly number[]): KvLayout {
  return {
    dtype,
    kvHeads: config.numKeyValueHeads,
    headDim: config.headDim,
    layerGroups: config.layerTypes.map((type) => (type === "sliding" ? SLIDING_GROUP : FULL_GROUP)),
    groupPages,
  };
}

/**
 * Pages of each group that one sequence of `contextLength` positions needs at most, when a step adds up to
 * `stepRows` of its positions and the pages behind the window are given back before the next step.
 */
export function pagesPerSequence(config: GemmaConfig, contextLength: number, stepRows: number): readonly number[] {
  const all = Math.ceil(contextLength / PAGE_ROWS);
  return groupWindows(config).map((window) => {
    if (window === null) return all;
    // The first row of a step still sees window - 1 positions before it; the span may begin within a page.
    const spanPages = Math.ceil((window - 1 + stepRows) / PAGE_ROWS) + 1;
    return Math.min(all, spanPages);
  });
}
