import { BLOCK_SIZES, rowBytes, type StoredDtype } from "../../base/dtype.js";
import type { Rng } from "../../base/rng.js";
import type { Backend } from "../backend.js";
import type { StoredWeight, Weight } from "../tensor.js";

/** Bytes of a block at which an f16 scale or minimum begins (ggml/src/ggml-common.h, ggml v0.9). */
const F16_SCALES: Readonly<Record<Exclude<StoredDtype, "F32" | "F16" | "BF16" | "MXFP4">, readonly number[]>> = {
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
  IQ4_NL: [0],
  IQ4_XS: [0],
};

/** A random matrix [N, K] of any stored type: random bytes, with scales that are finite and of a model's size. */
export function randomStoredWeight(dtype: StoredDtype, shape: readonly [number, number], rng: Rng): StoredWeight {
  const bytes = randomBytes(shape[0] * rowBytes(dtype, shape[1]), rng);
  const view = new DataView(bytes.buffer);
  const blockBytes = BLOCK_SIZES[dtype].bytes;
  for (let block = 0; block < bytes.length; block += blockBytes) {
    if (dtype === "F32") view.setFloat32(block, rng.normal(), true);
    else if (dtype === "BF16") view.setUint16(block, randomFloatBits(rng, 7, 120, 127), true);
    else if (dtype === "F16") view.setUint16(block, randomFloatBits(rng, 10, 8, 15), true);
    else if (dtype === "MXFP4")
      view.setUint8(block, 120 + rng.integer(8)); // exponent e of the scale 2^(e - 127)
    else for (const offset of F16_SCALES[dtype]) view.setUint16(block + offset, randomScaleBits(rng), true);
  }
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return { name: `random ${dtype}`, dtype, shape, read };
}

/** A matrix [N, K] of these values, stored as F32. */
export function storedFloats(shape: readonly [number, number], values: Float32Array): StoredWeight {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name: "floats", dtype: "F32", shape, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/**
 * A Q8_0 matrix [N, K] whose values are spread as a model's, most of them small: its low bits say little, unlike those of
 * random bytes. With `distinct`, rows repeat after so many.
 */
export function bellShapedWeight(shape: readonly [number, number], rng: Rng, distinct = shape[0]): StoredWeight {
  const [N, K] = shape;
  const bytesPerRow = rowBytes("Q8_0", K);
  const bytes = new Uint8Array(N * bytesPerRow);
  const view = new DataView(bytes.buffer);
  const values = new Float64Array(BLOCK_SIZES.Q8_0.elements);
  for (let block = 0; block < Math.min(distinct, N) * bytesPerRow; block += BLOCK_SIZES.Q8_0.bytes) {
    let largest = 1;
    for (let i = 0; i < values.length; i++) {
      values[i] = sumOfFourBytes(rng) - 510;
      largest = Math.max(largest, Math.abs(values[i]!));
    }
    view.setUint16(block, randomFloatBits(rng, 10, 7, 9) & 0x7fff, true);
    for (let i = 0; i < values.length; i++) view.setInt8(block + 2 + i, Math.round((values[i]! / largest) * 127));
  }
  for (let n = distinct; n < N; n++) {
    const same = (n % distinct) * bytesPerRow;
    bytes.copyWithin(n * bytesPerRow, same, same + bytesPerRow);
  }
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return { name: "bell-shaped Q8_0", dtype: "Q8_0", shape, read };
}

/** In 0..1020, nearly normal around 510. */
function sumOfFourBytes(rng: Rng): number {
  const bits = rng.integer(2 ** 32);
  return (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
}

/** An f16 of magnitude 2^-8 to 2^-3; one in sixteen is zero or subnormal, as in blocks of tiny weights. */
function randomScaleBits(rng: Rng): number {
  const kind = rng.integer(16);
  if (kind === 0) return 0;
  return kind === 1 ? rng.integer(1024) : randomFloatBits(rng, 10, 7, 12);
}

/** Sign, exponent in [low, high) and mantissa of a small float type. */
function randomFloatBits(rng: Rng, mantissaBits: number, low: number, high: number): number {
  const exponent = low + rng.integer(high - low);
  return (rng.integer(2) << 15) | (exponent << mantissaBits) | rng.integer(2 ** mantissaBits);
}

function randomBytes(count: number, rng: Rng): Uint8Array {
  const words = new Uint32Array(Math.ceil(count / 4));
  for (let i = 0; i < words.length; i++) words[i] = rng.integer(2 ** 32); // Uint32Array.from takes five times as long
  return new Uint8Array(words.buffer, 0, count);
}

/** A packed matrix [N, K] as f32: `embed` dequantises it. */
export async function weightValues(be: Backend, weight: Weight): Promise<Float32Array> {
  const ids = be.tensor("i32", [weight.shape[0]]);
  be.write(
    ids,
    Int32Array.from({ length: weight.shape[0] }, (_, n) => n),
  );
  const rows = be.tensor("f32", weight.shape);
  be.embed(rows, weight, ids, 1);
  return (await be.read(rows)) as Float32Array;
}
