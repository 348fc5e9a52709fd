import { f32ToBf16 } from "../base/bf16.js";
import { BLOCK_SIZES } from "../base/dtype.js";
import { GemmaError } from "../base/errors.js";
import { f32ToF16 } from "../base/f16.js";

/** Types that weights can be written in. */
export const WRITTEN_DTYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0"] as const;
export type WrittenDtype = (typeof WRITTEN_DTYPES)[number];

/** Writes values[start...] as the block at out[at...]. */
type BlockWriter = (values: Float32Array, start: number, out: Uint8Array, at: number) => void;

const f16: BlockWriter = (values, start, out, at) => writeHalf(out, at, f32ToF16(values[start]!));
const bf16: BlockWriter = (values, start, out, at) => writeHalf(out, at, f32ToBf16(values[start]!));

// quantize_row_q8_0_ref and quantize_row_q4_0_ref of ggml-quants.c (ggml v0.9). Every step is rounded to f32, as in C:
// where a value lies on a tie, another rounding gives another byte.
const { fround } = Math;

/** d = max |x| / 127 as f16, then round(x / d), halves away from zero, as 32 signed bytes. */
const q8_0: BlockWriter = (values, start, out, at) => {
  let most = 0;
  for (let i = 0; i < 32; i++) most = Math.max(most, Math.abs(values[start + i]!));
  const d = fround(most / 127);
  const inverse = d === 0 ? 0 : fround(1 / d);
  writeHalf(out, at, f32ToF16(d));
  for (let i = 0; i < 32; i++) out[at + 2 + i] = roundAway(fround(values[start + i]! * inverse));
};

/** d = the value furthest from zero / -8 as f16, then trunc(x / d + 8.5), at most 15: elements i and i + 16 share a byte. */
const q4_0: BlockWriter = (values, start, out, at) => {
  let furthest = 0;
  for (let i = 0; i < 32; i++) {
    const value = values[start + i]!;
    if (Math.abs(value) > Math.abs(furthest)) furthest = value;
  }
  const d = fround(furthest / -8);
  const inverse = d === 0 ? 0 : fround(1 / d);
  writeHalf(out, at, f32ToF16(d));
  const level = (i: number) => Math.min(15, Math.trunc(fround(fround(values[start + i]! * inverse) + 8.5)));
  for (let i = 0; i < 16; i++) out[at + 2 + i] = level(i) | (level(i + 16) << 4);
};

const BLOCK_WRITERS: Readonly<Record<Exclude<WrittenDtype, "F32">, BlockWriter>> = {
  F16: f16,
  BF16: bf16,
  Q8_0: q8_0,
  Q4_0: q4_0,
};

/**
 * f32 values as stored weights, little-endian; Q8_0 and Q4_0 are equal in every byte to ggml's reference quantisers.
 *
 * @param values whole blocks
 * @throws ERR_SHAPE `quantise: Q8_0 must have whole blocks of 32, got 33 elements`
 * @throws ERR_INVALID_VALUE when a value is not finite: a block's scale would spoil its neighbours
 */
export function quantise(dtype: WrittenDtype, values: Float32Array): Uint8Array {
  const block = BLOCK_SIZES[dtype];
  if (values.length % block.elements !== 0) {
    throw new GemmaError(
      "ERR_SHAPE",
      `quantise: ${dtype} must have whole blocks of ${block.elements}, got ${values.length} elements`,
    );
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new GemmaError("ERR_INVALID_VALUE", `quantise: weights must be finite, got ${values[bad]} at element ${bad}`);
  }
  if (dtype === "F32") return new Uint8Array(values.slice().buffer);
  const out = new Uint8Array((values.length / block.elements) * block.bytes);
  const writeBlock = BLOCK_WRITERS[dtype];
  for (let start = 0, at = 0; start < values.length; start += block.elements, at += block.bytes) {
    writeBlock(values, start, out, at);
  }
  return out;
}

function writeHalf(out: Uint8Array, at: number, half: number): void {
  out[at] = half;
  out[at + 1] = half >>> 8;
}

function roundAway(value: number): number {
  return value < 0 ? -Math.floor(-value + 0.5) : Math.floor(value + 0.5);
}
