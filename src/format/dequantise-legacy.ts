import { f16ToF32 } from "../base/f16.js";

// Blocks of 32 elements: layouts of ggml/src/ggml-common.h, arithmetic of ggml/src/ggml-quants.c (ggml v0.9).
// In 4-bit fields the low nibbles are elements 0-15 and the high nibbles elements 16-31. A product of an f32 and a
// small integer is exact in a double, so one rounding (Math.fround, or storing to the Float32Array) is f32 arithmetic.

const { fround } = Math;

export function f16At(bytes: Uint8Array, at: number): number {
  return f16ToF32(bytes[at]! | (bytes[at + 1]! << 8));
}

/** f16 scale, 16 bytes: (q - 8) d */
export function q4_0(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at);
  for (let j = 0; j < 16; j++) {
    const q = bytes[at + 2 + j]!;
    out[start + j] = ((q & 15) - 8) * d;
    out[start + 16 + j] = ((q >> 4) - 8) * d;
  }
}

/** f16 scale, f16 minimum, 16 bytes: q d + m */
export function q4_1(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at);
  const m = f16At(bytes, at + 2);
  for (let j = 0; j < 16; j++) {
    const q = bytes[at + 4 + j]!;
    out[start + j] = fround((q & 15) * d) + m;
    out[start + 16 + j] = fround((q >> 4) * d) + m;
  }
}

/** f16 scale, 32 fifth bits, 16 bytes: (q - 16) d */
export function q5_0(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at);
  for (let j = 0; j < 16; j++) {
    const q = bytes[at + 6 + j]!;
    out[start + j] = (((q & 15) | fifthBit(bytes, at + 2, j)) - 16) * d;
    out[start + 16 + j] = (((q >> 4) | fifthBit(bytes, at + 2, 16 + j)) - 16) * d;
  }
}

/** f16 scale, f16 minimum, 32 fifth bits, 16 bytes: q d + m */
export function q5_1(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at);
  const m = f16At(bytes, at + 2);
  for (let j = 0; j < 16; j++) {
    const q = bytes[at + 8 + j]!;
    out[start + j] = fround(((q & 15) | fifthBit(bytes, at + 4, j)) * d) + m;
    out[start + 16 + j] = fround(((q >> 4) | fifthBit(bytes, at + 4, 16 + j)) * d) + m;
  }
}

function fifthBit(bytes: Uint8Array, at: number, element: number): number {
  return ((bytes[at + (element >> 3)]! >> (element & 7)) & 1) << 4;
}

/** f16 scale, 32 signed bytes: q d */
export function q8_0(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at);
  for (let j = 0; j < 32; j++) out[start + j] = ((bytes[at + 2 + j]! << 24) >> 24) * d;
}

/** The 16 levels of IQ4_NL and IQ4_XS (kvalues_iq4nl). */
export const IQ4_LEVELS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;

/** f16 scale, 16 bytes: level[q] d */
export function iq4nl(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = f16At(bytes, at);
  for (let j = 0; j < 16; j++) {
    const q = bytes[at + 2 + j]!;
    out[start + j] = IQ4_LEVELS[q & 15]! * d;
    out[start + 16 + j] = IQ4_LEVELS[q >> 4]! * d;
  }
}

/** Twice the values of E2M1, the four-bit float of the OCP Microscaling formats; minus zero is zero (kvalues_mxfp4). */
const MXFP4_LEVELS = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12] as const;

/** Exponent byte, 16 bytes: level[q] 2^(e - 128), half of the scale 2^(e - 127) since the levels are doubled */
export function mxfp4(bytes: Uint8Array, at: number, out: Float32Array, start: number): void {
  const d = 2 ** (bytes[at]! - 128);
  for (let j = 0; j < 16; j++) {
    const q = bytes[at + 1 + j]!;
    out[start + j] = MXFP4_LEVELS[q & 15]! * d;
    out[start + 16 + j] = MXFP4_LEVELS[q >> 4]! * d;
  }
}
