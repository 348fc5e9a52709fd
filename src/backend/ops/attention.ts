import { expectMatrix, expectMultiple, expectPositive, expectShape } from "../check.js";
import type { KvCache, StepPlan } from "../kv.js";
import type { Tensor } from "../tensor.js";
import { checkPlan } from "./write-kv.js";

export interface AttentionOptions {
  readonly scale: number;
  /** Gemma 2: scores become tanh(s / softCap) · softCap before the mask. null: none. */
  readonly softCap: number | null;
  /** Row i sees key j if 0 <= i - j < window. null: all keys up to i. */
  readonly window: number | null;
}

/**
 * Causal attention of this step's queries over the paged cache, which already holds this step's keys. For row t of a
 * sequence at position p, query head n and key/value head n // (N / K), over the keys j it sees:
 *
 *     out[t, n] = sum_j softmax_j(cap(scale · q[t, n]·k[j])) · v[j]
 *
 * Keys are reduced page by page in ascending order, anchored at position 0: the result is the same in any batch.
 * Keys whose page is -1 are not seen.
 *
 * @param out   f32 [T, N*H], overwritten; not `q`
 * @param q     f32 [T, N*H], after RoPE
 * @param cache keys and values
 * @param layer index of the layer
 * @param plan  positions, sequences and the page table of the layer's group
 */
export type Attention = (
  out: Tensor,
  q: Tensor,
  cache: KvCache,
  layer: number,
  plan: StepPlan,
  options: AttentionOptions,
) => void;

export function checkAttention(...[out, q, cache, layer, plan, options]: Parameters<Attention>): void {
  const [rows, width] = expectMatrix("attention", "q", q, "T, N*H");
  expectShape("attention", "out", out, [rows, width], "T, N*H");
  const { headDim, kvHeads } = cache.layout;
  expectMultiple("attention", "q", width, headDim * kvHeads, "K*H");
  expectPositive("attention", "scale", options.scale);
  if (options.softCap !== null) expectPositive("attention", "softCap", options.softCap);
  if (options.window !== null) expectPositive("attention", "window", options.window);
  checkPlan("attention", cache, layer, rows, plan);
}
