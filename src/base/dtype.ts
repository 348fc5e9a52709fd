/** Types of stored tensors, by the names that GGUF and safetensors share (safetensors: F32, F16, BF16). */
export const STORED_DTYPES = [
  "F32",
  "F16",
  "BF16",
  "Q4_0",
  "Q4_1",
  "Q5_0",
  "Q5_1",
  "Q8_0",
  "Q2_K",
  "Q3_K",
  "Q4_K",
  "Q5_K",
  "Q6_K",
  "IQ4_NL",
  "IQ4_XS",
  "MXFP4",
] as const;

/** A type that a model's weights may have on disk. */
export type StoredDtype = (typeof STORED_DTYPES)[number];

/** Elements a block holds, and bytes a block takes. One block never spans two rows. */
export interface BlockSize {
  readonly elements: number;
  readonly bytes: number;
}

/** ggml/src/ggml-common.h (ggml v0.9): block_q4_0 … block_mxfp4. */
export const BLOCK_SIZES: Readonly<Record<StoredDtype, BlockSize>> = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  Q4_0: { elements: 32, bytes: 2 + 16 },
  Q4_1: { elements: 32, bytes: 2 + 2 + 16 },
  Q5_0: { elements: 32, bytes: 2 + 4 + 16 },
  Q5_1: { elements: 32, bytes: 2 + 2 + 4 + 16 },
  Q8_0: { elements: 32, bytes: 2 + 32 },
  Q2_K: { elements: 256, bytes: 16 + 64 + 2 + 2 },
  Q3_K: { elements: 256, bytes: 32 + 64 + 12 + 2 },
  Q4_K: { elements: 256, bytes: 2 + 2 + 12 + 128 },
  Q5_K: { elements: 256, bytes: 2 + 2 + 12 + 32 + 128 },
  Q6_K: { elements: 256, bytes: 128 + 64 + 16 + 2 },
  IQ4_NL: { elements: 32, bytes: 2 + 16 },
  IQ4_XS: { elements: 256, bytes: 2 + 2 + 4 + 128 },
  MXFP4: { elements: 32, bytes: 1 + 16 },
};

/** Bytes of one row of `width` elements. `width` must be a whole number of blocks. */
export function rowBytes(dtype: StoredDtype, width: number): number {
  const block = BLOCK_SIZES[dtype];
  return (width / block.elements) * block.bytes;
}
