import type { ByteSource } from "./byte-source.js";

/** Where a stored tensor lies and what it is; no weight is read to make one. */
export interface TensorInfo {
  readonly name: string;
  /**
   * The type's name in the table of its container (ggml's or safetensors'). It may be one that no model loads:
   * whoever wants the numbers checks it against STORED_DTYPES.
   */
  readonly dtype: string;
  /** Row-major, outermost first: [out, in] for a matrix. [] is a scalar. */
  readonly shape: readonly number[];
  /** Absolute offset in `source`. [offset, offset + sizeBytes) was checked against its size. */
  readonly offset: number;
  readonly sizeBytes: number;
  readonly source: ByteSource;
}
