import { f16At, IQ4_LEVELS } from "./dequantise-legacy.js";

// Blocks of 256 elements with scales of their own for each 16 or 32: layouts of ggml/src/ggml-common.h, arithmetic
// of ggml/src/ggml-quants.c (ggml v0.9). As there, a scale times a sub-scale is rounded to f32 before it meets q.

const { fround } = Math;

/** 16 (scale, minimum) nibble pairs, 64 bytes of 2 bits, f16 scale, f16 minimum: q (d s) - (m t), groups of 16 */
export function q2k(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at + 80);
  const m = f16At(bytes, at + 82);
  for (let group = 0; group < 16; group++) {
    const pair = bytes[at + group]!;
    const scale = fround(d * (pair & 15));
    const minimum = fround(m * (pair >> 4));
    // 128 elements share 32 bytes: bits 0-1 of all of them first, then bits 2-3 and so on.
    const shift = 2 * ((group >> 1) & 3);
    const quants = at + 16 + 32 * (group >> 3) + 16 * (group & 1);
    for (let j = 0; j < 16; j++) {
      out[start + 16 * group + j] = fround(scale * ((bytes[quants + j]! >> shift) & 3)) - minimum;
    }
  }
}

/** 256 third bits, 64 bytes of 2 bits, 16 scales of 6 bits in 12 bytes, f16 scale: (q - 4) (d (s - 32)), groups of 16 */
export function q3k(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at + 108);
  for (let group = 0; group < 16; group++) {
    const low = (bytes[at + 96 + (group & 7)]! >> (group < 8 ? 0 : 4)) & 15;
    const high = (bytes[at + 104 + (group & 3)]! >> (2 * (group >> 2))) & 3;
    const scale = fround(d * ((low | (high << 4)) - 32));
    const shift = 2 * ((group >> 1) & 3);
    const quants = at + 32 + 32 * (group >> 3) + 16 * (group & 1);
    const thirdBits = at + 16 * (group & 1);
    for (let j = 0; j < 16; j++) {
      const third = (bytes[thirdBits + j]! >> (group >> 1)) & 1;
      out[start + 16 * group + j] = scale * (((bytes[quants + j]! >> shift) & 3) - (third ? 0 : 4));
    }
  }
}

/** f16 scale, f16 minimum, 8 (scale, minimum) pairs of 6 bits in 12 bytes, 128 bytes: q (d s) - (m t), groups of 32 */
export function q4k(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at);
  const m = f16At(bytes, at + 2);
  for (let group = 0; group < 8; group++) {
    const scale = fround(d * sixBitScale(bytes, at + 4, group));
    const minimum = fround(m * sixBitMinimum(bytes, at + 4, group));
    const quants = at + 16 + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let j = 0; j < 32; j++) {
      out[start + 32 * group + j] = fround(scale * ((bytes[quants + j]! >> shift) & 15)) - minimum;
    }
  }
}

/** As Q4_K, with 256 fifth bits before the 128 bytes. */
export function q5k(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at);
  const m = f16At(bytes, at + 2);
  for (let group = 0; group < 8; group++) {
    const scale = fround(d * sixBitScale(bytes, at + 4, group));
    const minimum = fround(m * sixBitMinimum(bytes, at + 4, group));
    const quants = at + 48 + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let j = 0; j < 32; j++) {
      const fifth = (bytes[at + 16 + j]! >> group) & 1;
      const q = ((bytes[quants + j]! >> shift) & 15) | (fifth << 4);
      out[start + 32 * group + j] = fround(scale * q) - minimum;
    }
  }
}

// Groups 0-3 have their 6 bits in one byte; groups 4-7 have 4 bits in bytes 8-11 and 2 in the tops of the others.

function sixBitScale(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group]! & 63;
  return (bytes[at + group + 4]! & 15) | ((bytes[at + group - 4]! >> 6) << 4);
}

function sixBitMinimum(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group + 4]! & 63;
  return (bytes[at + group + 4]! >> 4) | ((bytes[at + group]! >> 6) << 4);
}

/** 128 bytes of low 4 bits, 64 of high 2 bits, 16 signed scales, f16 scale: (q - 32) (d s), groups of 16 */
export function q6k(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at + 208);
  for (let group = 0; group < 16; group++) {
    const scale = fround(d * ((bytes[at + 192 + group]! << 24) >> 24));
    const half = group >> 3; //          128 elements
    const quarter = (group >> 1) & 3; // 32 of them
    const column = 16 * (group & 1);
    const low = at + 64 * half + 32 * (quarter & 1) + column;
    const high = at + 128 + 32 * half + column;
    for (let j = 0; j < 16; j++) {
      const low4 = (bytes[low + j]! >> (quarter < 2 ? 0 : 4)) & 15;
      const high2 = (bytes[high + j]! >> (2 * quarter)) & 3;
      out[start + 16 * group + j] = scale * ((low4 | (high2 << 4)) - 32);
    }
  }
}

/** f16 scale, 8 scales of 6 bits (high 2 bits: 2 bytes, low 4: 4 bytes), 128 bytes: level[q] (d (s - 32)), groups of 32 */
export function iq4xs(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at);
  const highs = bytes[at + 2]! | (bytes[at + 3]! << 8);
  for (let group = 0; group < 8; group++) {
    const low = (bytes[at + 4 + (group >> 1)]! >> (4 * (group & 1))) & 15;
    const high = (highs >> (2 * group)) & 3;
    const scale = fround(d * ((low | (high << 4)) - 32));
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 8 + 16 * group + j]!;
      out[start + 32 * group + j] = scale * IQ4_LEVELS[q & 15]!;
      out[start + 32 * group + 16 + j] = scale * IQ4_LEVELS[q >> 4]!;
    }
  }
}
