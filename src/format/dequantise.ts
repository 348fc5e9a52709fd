import { bf16ToF32 } from "../base/bf16.js";
import { BLOCK_SIZES, type StoredDtype } from "../base/dtype.js";
import { GemmaError } from "../base/errors.js";
import { f16ToF32 } from "../base/f16.js";
import { iq4xs, q2k, q3k, q4k, q5k, q6k } from "./dequantise-k.js";
import { iq4nl, mxfp4, q4_0, q4_1, q5_0, q5_1, q8_0 } from "./dequantise-legacy.js";

/** Writes the elements of the block at bytes[at...] to out[start...], rounding in f32 where ggml does. */
export type BlockReader = (bytes: Uint8Array, at: number, out: Float32Array, start: number) => void;

const f16: BlockReader = (bytes, at, out, start) => {
  out[start] = f16ToF32(bytes[at]! | (bytes[at + 1]! << 8));
};

const bf16: BlockReader = (bytes, at, out, start) => {
  out[start] = bf16ToF32(bytes[at]! | (bytes[at + 1]! << 8));
};

const BLOCK_READERS: Readonly<Record<Exclude<StoredDtype, "F32">, BlockReader>> = {
  F16: f16,
  BF16: bf16,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  Q2_K: q2k,
  Q3_K: q3k,
  Q4_K: q4k,
  Q5_K: q5k,
  Q6_K: q6k,
  IQ4_NL: iq4nl,
  IQ4_XS: iq4xs,
  MXFP4: mxfp4,
};

/**
 * Stored weights as f32, equal in every bit to ggml's own dequantisation.
 *
 * @param bytes whole blocks, at any alignment
 * @param out   as many elements as the blocks hold, overwritten
 * @throws ERR_SHAPE `dequantise: Q4_0 must have 18 bytes for 32 elements, got 17`
 */
export function dequantise(dtype: StoredDtype, bytes: Uint8Array, out: Float32Array): void {
  const block = BLOCK_SIZES[dtype];
  const needed = (out.length / block.elements) * block.bytes;
  if (bytes.length !== needed || out.length % block.elements !== 0) {
    throw new GemmaError(
      "ERR_SHAPE",
      `dequantise: ${dtype} must have ${needed} bytes for ${out.length} elements, got ${bytes.length}`,
    );
  }
  if (dtype === "F32") {
    new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
    return;
  }
  const readBlock = BLOCK_READERS[dtype];
  for (let at = 0, start = 0; at < bytes.length; at += block.bytes, start += block.elements) {
    readBlock(bytes, at, out, start);
  }
}
