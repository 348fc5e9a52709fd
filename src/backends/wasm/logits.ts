import { K_BLOCK_MAXIMA, K_BLOCK_SUMS, K_SOFT_CAP } from "./layout.js";
import { f32Bits, type Machine } from "./machine.js";

const BLOCK = 256; //        logits that have one maximum
const BLOCKS_A_GRAIN = 64;
const CAP_GRAIN = 4096;

export interface Candidate {
  readonly id: number;
  readonly logit: number;
}

/** Caps logits at an address in place; null: there is no cap. */
export function capLogits(machine: Machine, address: number, count: number, cap: number | null): void {
  if (cap !== null) machine.run(K_SOFT_CAP, count, CAP_GRAIN, [address, f32Bits(cap)]);
}

/** One row of logits in wasm memory, with the maximum of each block. Valid until the next row is looked at. */
export class LogitRow {
  readonly values: Float32Array;
  readonly maxima: Float32Array;
  readonly max: number;
  private readonly maximaAt: number;
  private readonly sumsAt: number;

  constructor(
    private readonly machine: Machine,
    private readonly address: number,
    private readonly width: number,
  ) {
    const blocks = Math.ceil(width / BLOCK);
    // Both before any view: memory that grows takes views along.
    this.maximaAt = machine.buffer("maxima", 4 * blocks);
    this.sumsAt = machine.buffer("sums", 4 * blocks);
    machine.run(K_BLOCK_MAXIMA, blocks, BLOCKS_A_GRAIN, [address, width, this.maximaAt]);
    this.maxima = machine.floats(this.maximaAt, blocks);
    this.values = machine.floats(address, width);
    this.max = this.maxima.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  }

  /** The lowest of the most likely ids; -1 where none is above minus infinity. */
  argMax(): number {
    if (this.max === Number.NEGATIVE_INFINITY) return -1;
    const first = this.maxima.indexOf(this.max) * BLOCK;
    return first + this.values.subarray(first, first + BLOCK).indexOf(this.max);
  }

  /** sum over ids of exp((logit - max) / temperature); f32 in blocks, f64 over them. */
  sumOfWeights(temperature: number): number {
    const blocks = this.maxima.length;
    // In f32 the inverse of a tiny temperature would be infinite, and infinity times zero no number.
    const inverse = Math.min(1e30, 1 / Math.max(temperature, 1e-30));
    const args = [this.address, this.width, this.maximaAt, this.sumsAt, f32Bits(inverse)];
    this.machine.run(K_BLOCK_SUMS, blocks, BLOCKS_A_GRAIN / 4, args);
    const sums = this.machine.floats(this.sumsAt, blocks);
    let total = 0;
    for (let b = 0; b < blocks; b++) {
      const max = this.maxima[b]!;
      if (max === Number.NEGATIVE_INFINITY) continue;
      total += sums[b]! * (max === this.max ? 1 : Math.exp((max - this.max) / temperature));
    }
    return total;
  }

  /** Candidates from `low` on (and below `high`) above minus infinity, the most likely first; of equals the lower id. */
  from(low: number, high?: number): Candidate[] {
    const found: Candidate[] = [];
    for (let b = 0; b < this.maxima.length; b++) {
      const max = this.maxima[b]!;
      if (!(max >= low && max > Number.NEGATIVE_INFINITY)) continue;
      const end = Math.min(this.width, (b + 1) * BLOCK);
      for (let id = b * BLOCK; id < end; id++) {
        const logit = this.values[id]!;
        if (!(logit >= low && logit > Number.NEGATIVE_INFINITY)) continue;
        if (high === undefined || logit < high) found.push({ id, logit });
      }
    }
    return found.sort(byLikelihood);
  }

  /** The n most likely candidates, fewer where others are minus infinity. */
  best(n: number): Candidate[] {
    if (n === 0) return [];
    // A value that at least n logits reach: the n-th largest maximum.
    const low = n > this.maxima.length ? Number.NEGATIVE_INFINITY : this.maxima.slice().sort()[this.maxima.length - n]!;
    return this.from(low).slice(0, n);
  }
}

/** Of equals the lower id comes first. */
export function byLikelihood(a: Candidate, b: Candidate): number {
  return a.logit === b.logit ? a.id - b.id : b.logit > a.logit ? 1 : -1;
}
