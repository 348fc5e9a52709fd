import { type KvDtype, pageLayerBytes } from "../backend/kv.js";
import type { GemmaConfig } from "../model/config.js";
import { groupWindows, kvLayout, pagesPerSequence } from "../model/kv-layout.js";

/** Pages of a cache, by group. */
export interface CacheShape {
  readonly groupPages: readonly number[];
  /** Those that one sequence needs at most. */
  readonly sequencePages: readonly number[];
  /** Of groupPages, those that may be remembered while nobody uses them. */
  readonly idlePages: readonly number[];
  /** Keys that each group's rows see; null: all of them. */
  readonly windows: readonly (number | null)[];
}

export interface CacheOptions {
  /** Positions of one sequence at most. */
  readonly contextLength: number;
  readonly kv: KvDtype;
  /** Rows of one step at most, T. */
  readonly maxRows: number;
  /** Jobs computed together at most, S. */
  readonly maxSequences: number;
  /** Memory of the cache beyond one full context: for further sequences. Default: 1 GiB. */
  readonly spareCacheBytes?: number;
  /** What prefixes of ended jobs may take of the cache, rounded down to full contexts; at least one. Default: 0. */
  readonly prefixCacheBytes?: number;
}

const SPARE_CACHE_BYTES = 1 << 30;

/** One sequence of full length, and room for others and for prefixes. */
export function cacheShape(config: GemmaConfig, options: CacheOptions): CacheShape {
  const one = pagesPerSequence(config, options.contextLength, options.maxRows);
  const layout = kvLayout(config, options.kv, one);
  const bytes = one.reduce((sum, pages, group) => {
    const layers = layout.layerGroups.filter((g) => g === group).length;
    return sum + pages * layers * pageLayerBytes(layout);
  }, 0);
  const spare = Math.floor((options.spareCacheBytes ?? SPARE_CACHE_BYTES) / bytes);
  const remembered = Math.floor((options.prefixCacheBytes ?? 0) / bytes);
  return {
    groupPages: one.map((pages) => pages * (1 + Math.max(0, Math.min(options.maxSequences - 1, spare)))),
    sequencePages: one,
    idlePages: one.map((pages) => pages * Math.max(1, remembered)),
    windows: groupWindows(config),
  };
}
