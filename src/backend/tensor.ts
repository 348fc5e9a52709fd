import type { StoredDtype } from "../base/dtype.js";

// T rows of a step, R rows with logits, S sequences, D model width, N query heads (in weights: output rows),
// K key/value heads (in weights: input width), H head width, F FFN width, V vocabulary, P pages

export type TensorDtype = "f32" | "i32";

/** An array that a backend owns. Only the backend that made it can use it. */
export interface Tensor {
  readonly dtype: TensorDtype;
  /** Row-major, outermost dimension first. */
  readonly shape: readonly number[];
}

/** A matrix [N, K] = [out, in] as stored, repacked by the backend at load and read-only since. */
export interface Weight {
  /** The type it had on disk; the packed form is the backend's own affair. */
  readonly dtype: StoredDtype;
  readonly shape: readonly [number, number];
  /** Bytes the packed form takes. */
  readonly sizeBytes: number;
  /** Whether chooseIds can do with a part of it. */
  readonly isScreened: boolean;
}

export interface WeightOptions {
  /** Packs a head so that chooseIds can do with a part of it, where the backend and the stored type allow that. */
  readonly screened?: boolean;
}

/** Bytes of an open file. Inode and size tell whether the descriptor means the same file to the system. */
export interface FileRange {
  readonly descriptor: number;
  readonly inode: number;
  readonly fileSize: number;
  readonly offset: number;
}

/** What a backend packs a Weight from: a range of whole blocks, row by row, that `read` fetches in slices. */
export interface StoredWeight {
  /** For messages, e.g. `blk.0.attn_q.weight`. */
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly [number, number];
  /** Returns `length` bytes of the tensor's data from `offset` on; valid until the next call. */
  read(offset: number, length: number): Uint8Array;
  /** Where the same bytes lie in an open file. It stays open until `packed` resolves or the weight is freed. */
  readonly file?: FileRange;
}

export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dim of shape) count *= dim;
  return count;
}
