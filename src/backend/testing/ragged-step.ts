import type { Rng } from "../../base/rng.js";
import { type KvCache, PAGE_ROWS, type RowPlan } from "../kv.js";
import type { Tensor } from "../tensor.js";
import { type CaseTensors, randomValues } from "./case-tensors.js";

/** A sequence in a step: positions 0..past-1 are in the cache, the next `now` are rows of the step. */
export interface SequenceRows {
  readonly past: number;
  readonly now: number;
}

/** A row of a step. */
export interface StepRow {
  readonly sequence: number;
  readonly position: number;
}

export function pastRows(sequences: readonly SequenceRows[]): StepRow[] {
  return sequences.flatMap(({ past }, sequence) =>
    Array.from({ length: past }, (_, position) => ({ sequence, position })),
  );
}

export function currentRows(sequences: readonly SequenceRows[]): StepRow[] {
  return sequences.flatMap(({ past, now }, sequence) =>
    Array.from({ length: now }, (_, i) => ({ sequence, position: past + i })),
  );
}

/** Page tables [S, P] for one group, rows of P entries. */
export interface PageTable {
  readonly pages: Int32Array;
  readonly width: number; // P
}

export function pageTableWidth(sequences: readonly SequenceRows[]): number {
  return Math.max(1, ...sequences.map(({ past, now }) => Math.ceil((past + now) / PAGE_ROWS))) + 1;
}

/** Gives every page that the sequences need a number of its own, in scrambled order; -1 behind their ends. */
export function scrambledPages(rng: Rng, sequences: readonly SequenceRows[]): PageTable {
  const width = pageTableWidth(sequences);
  const numbers = Array.from({ length: sequences.length * width }, (_, i) => i);
  for (let i = numbers.length - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
  }
  const pages = new Int32Array(sequences.length * width).fill(-1);
  for (const [s, { past, now }] of sequences.entries()) {
    const used = Math.ceil((past + now) / PAGE_ROWS);
    for (let p = 0; p < used; p++) pages[s * width + p] = numbers[s * width + p]!;
  }
  return { pages, width };
}

export function makePlan(tensors: CaseTensors, rows: readonly StepRow[], tables: readonly PageTable[]): RowPlan {
  const column = (values: number[]) => tensors.input([values.length], Int32Array.from(values));
  return {
    positions: column(rows.map((row) => row.position)),
    sequences: column(rows.map((row) => row.sequence)),
    pageTables: tables.map(({ pages, width }) => tensors.input([pages.length / width, width], pages)),
  };
}

/** Random keys or values for `rows` rows of the cache, f32 [rows, K*H]. */
export function randomKv(tensors: CaseTensors, rng: Rng, rows: number, cache: KvCache): Tensor {
  const width = cache.layout.kvHeads * cache.layout.headDim;
  return tensors.input([rows, width], randomValues(rng, rows * width));
}
