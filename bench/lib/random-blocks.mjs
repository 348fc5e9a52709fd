// Random stored weights of any dtype: seeded, with a standard deviation of about 0.02, as trained weights have.
import { createCipheriv, createHash } from "node:crypto";
import { BLOCK_SIZES } from "../../dist/base/dtype.js";
import { f32ToF16 } from "../../dist/base/f16.js";
import { dequantise } from "../../dist/format/dequantise.js";

const STANDARD_DEVIATION = 0.02;
const LEVELS = 256; // of scales, 0.8 to 1.2 times the middle one

/**
 * Where a block has its f16 scale and its f16 minimum. `offset` is the minimum over the scale that puts the mean weight
 * at zero: the middle quant, negative where the minimum is added. Layouts: ggml/src/ggml-common.h.
 */
const LAYOUTS = {
  Q4_0: { scale: 0 },
  Q4_1: { scale: 0, minimum: 2, offset: -7.5 },
  Q5_0: { scale: 0 },
  Q5_1: { scale: 0, minimum: 2, offset: -15.5 },
  Q8_0: { scale: 0 },
  Q2_K: { scale: 80, minimum: 82, offset: 1.5 },
  Q3_K: { scale: 108 },
  Q4_K: { scale: 0, minimum: 2, offset: 7.5 },
  Q5_K: { scale: 0, minimum: 2, offset: 15.5 },
  Q6_K: { scale: 208 },
  IQ4_NL: { scale: 0 },
  IQ4_XS: { scale: 0 },
};

/** Floats keep their random sign and fraction: [2^-6, 2^-5), 0.024 in the quadratic mean. [byte with the exponent, bits] */
const FLOATS = { F32: [4, 0x3c80_0000, 0x807f_ffff], BF16: [2, 0x3c80, 0x807f], F16: [2, 0x2400, 0x83ff] };

export const RANDOM_DTYPES = [...Object.keys(FLOATS), ...Object.keys(LAYOUTS), "MXFP4"];

/** A stream of random bytes that depends on `seed` and `name` alone: AES-128 in counter mode. */
export function randomBytes(seed, name) {
  const key = createHash("sha256").update(`${seed} ${name}`).digest();
  const cipher = createCipheriv("aes-128-ctr", key.subarray(0, 16), key.subarray(16, 32));
  return (length) => cipher.update(Buffer.alloc(length));
}

/** A function that turns random bytes, whole blocks of `dtype`, into weights in place. */
export function blockFiller(dtype) {
  if (FLOATS[dtype]) return (bytes) => fillFloats(bytes, FLOATS[dtype]);
  const { bytes: size, elements } = BLOCK_SIZES[dtype];
  if (dtype === "MXFP4") return (bytes) => every(size, bytes, (at) => (bytes[at] = 119 + (bytes[at] & 1))); // 2^-8, 2^-7
  const layout = LAYOUTS[dtype];
  // With a scale of one the weights have some deviation; the scale that we need follows.
  const sample = randomBytes(0, dtype)(512 * size);
  setScales(sample, size, layout, [1]);
  const values = new Float32Array(512 * elements);
  dequantise(dtype, sample, values);
  const middle = STANDARD_DEVIATION / Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  const scales = Array.from({ length: LEVELS }, (_, i) => middle * (0.8 + (0.4 * i) / (LEVELS - 1)));
  return (bytes) => setScales(bytes, size, layout, scales);
}

/** Gives each block one of `scales`, chosen by its own random bytes. */
function setScales(bytes, size, { scale, minimum, offset }, scales) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const halves = Uint16Array.from(scales, f32ToF16);
  const minima = Uint16Array.from(scales, (value) => f32ToF16(value * (offset ?? 0)));
  every(size, bytes, (at) => {
    const choice = bytes[at + scale] % scales.length;
    // Quants reach one further below zero than above; scales of either sign keep the mean at zero.
    const sign = minimum === undefined ? (bytes[at + scale + 1] & 0x80) << 8 : 0;
    view.setUint16(at + scale, halves[choice] | sign, true);
    if (minimum !== undefined) view.setUint16(at + minimum, minima[choice], true);
  });
}

function fillFloats(bytes, [size, exponent, keep]) {
  const words =
    size === 4
      ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
      : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  for (let i = 0; i < words.length; i++) words[i] = (words[i] & keep) | exponent;
}

function every(size, bytes, change) {
  for (let at = 0; at < bytes.length; at += size) change(at);
}
