import { BLOCK_SIZES, type BlockSize, STORED_DTYPES } from "../base/dtype.js";

// Ids of tensor types in GGUF: enum ggml_type, ggml/include/ggml.h; sizes of types that no Gemma is loaded from:
// ggml/src/ggml-common.h (ggml v0.9). Missing on purpose: 4, 5, 31-33 and 36-38, which ggml removed, and Q8_1
// and Q8_K, which exist only inside a dot product.

const STORED_IDS: Readonly<Record<(typeof STORED_DTYPES)[number], number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  IQ4_NL: 20,
  IQ4_XS: 23,
  BF16: 30,
  MXFP4: 39,
};

/** A tensor type of GGUF: its name, and its block along the innermost dimension. */
export interface GgmlType {
  readonly name: string;
  readonly block: BlockSize;
}

const others: readonly (readonly [id: number, name: string, elements: number, bytes: number])[] = [
  [16, "IQ2_XXS", 256, 66],
  [17, "IQ2_XS", 256, 74],
  [18, "IQ3_XXS", 256, 98],
  [19, "IQ1_S", 256, 50],
  [21, "IQ3_S", 256, 110],
  [22, "IQ2_S", 256, 82],
  [24, "I8", 1, 1],
  [25, "I16", 1, 2],
  [26, "I32", 1, 4],
  [27, "I64", 1, 8],
  [28, "F64", 1, 8],
  [29, "IQ1_M", 256, 56],
  [34, "TQ1_0", 256, 54],
  [35, "TQ2_0", 256, 66],
];

/** By GGUF's type id. */
export const GGML_TYPES: ReadonlyMap<number, GgmlType> = new Map([
  ...STORED_DTYPES.map((name): [number, GgmlType] => [STORED_IDS[name], { name, block: BLOCK_SIZES[name] }]),
  ...others.map(([id, name, elements, bytes]): [number, GgmlType] => [id, { name, block: { elements, bytes } }]),
]);
