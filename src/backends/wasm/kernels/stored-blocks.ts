// One block of each quantised type on disk, taken apart: unsigned quants in order of k, and scales.
// Layouts: ggml/src/ggml-common.h and the dequantize_row functions of ggml/src/ggml-quants.c (ggml v0.9).
// value = (quant - offset) · scale + min, with the offset of the packed form; 8-bit quants have 128.
import { IQ4_NL, IQ4_XS, MXFP4, Q2_K, Q3_K, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, Q8_0 } from "../layout";

// A block: quants, then what it has of scales.
export const BLOCK_SCALE: usize = 256; //    f16: the scale, or d of two levels; f32: MXFP4's scale
export const BLOCK_MIN: usize = 260; //      f16: the minimum, or dmin
export const BLOCK_SUBS: usize = 264; //     sub-scales of 16 groups
export const BLOCK_SUBMINS: usize = 280; //  and sub-minimums
export const BLOCK_BYTES: usize = 320;

const LOW: u64 = 0x0f0f0f0f0f0f0f0f;

/** `count` bytes to twice as many values: low nibbles first, then high ones. */
function splitNibbles(bytes: usize, quants: usize, count: usize): void {
  for (let i: usize = 0; i < count; i += 8) {
    const pairs = load<u64>(bytes + i);
    store<u64>(quants + i, pairs & LOW);
    store<u64>(quants + count + i, (pairs >> 4) & LOW);
  }
}

/** Adds bit i of `bits` to quant i as its fifth. */
function addFifthBits(bits: usize, quants: usize): void {
  for (let i: usize = 0; i < 4; i++) {
    // Each byte keeps one of eight copies' bits, which then moves to bit 4.
    const chosen = (<u64>load<u8>(bits + i) * 0x0101010101010101) & 0x8040201008040201;
    const ones = ((chosen + 0x7f7f7f7f7f7f7f7f) | chosen) & 0x8080808080808080;
    store<u64>(quants + 8 * i, load<u64>(quants + 8 * i) | (ones >> 3));
  }
}

/** Q4_K and Q5_K: eight 6-bit scales and eight 6-bit minimums in 12 bytes. */
function unpackScales(s: usize, block: usize): void {
  for (let i: usize = 0; i < 4; i++) {
    const a = load<u8>(s + i);
    const b = load<u8>(s + i + 4);
    const c = load<u8>(s + i + 8);
    store<u8>(block + BLOCK_SUBS + i, a & 63);
    store<u8>(block + BLOCK_SUBMINS + i, b & 63);
    store<u8>(block + BLOCK_SUBS + i + 4, (c & 15) | ((a >> 6) << 4));
    store<u8>(block + BLOCK_SUBMINS + i + 4, (c >> 4) | ((b >> 6) << 4));
  }
}

/** Replaces nibbles by what a table of 16 has for them. */
function lookUp(bytes: usize, levels: v128, quants: usize): void {
  const pairs = v128.load(bytes);
  v128.store(quants, i8x16.swizzle(levels, v128.and(pairs, i8x16.splat(15))));
  v128.store(quants, i8x16.swizzle(levels, i8x16.shr_u(pairs, 4)), 16);
}

/** Levels of IQ4_NL and IQ4_XS (kvalues_iq4nl), plus the offset 128. */
// @ts-ignore: decorator
@inline
function iq4Levels(): v128 {
  return i8x16(1, 24, 45, 63, 79, 93, 106, 118, -127, -115, -103, -90, -75, -59, -39, -15);
}

/** Twice the values of FP4 E2M1, plus the offset 128. */
// @ts-ignore: decorator
@inline
function fp4Levels(): v128 {
  return i8x16(-128, -127, -126, -125, -124, -122, -120, -116, -128, 127, 126, 125, 124, 122, 120, 116);
}

/** In Q2_K and Q3_K byte l of half n holds elements 128n + 32j + l in its bits 2j, 2j + 1. */
function splitTwoBits(bytes: usize, quants: usize): void {
  for (let n: usize = 0; n < 2; n++) {
    for (let j: usize = 0; j < 4; j++) {
      for (let l: usize = 0; l < 32; l++) {
        store<u8>(quants + 128 * n + 32 * j + l, (load<u8>(bytes + 32 * n + l) >> <u8>(2 * j)) & 3);
      }
    }
  }
}

function addBits(bytes: usize, quants: usize, shift: u8): void {
  for (let j: usize = 0; j < 8; j++) {
    for (let l: usize = 0; l < 32; l++) {
      const at = quants + 32 * j + l;
      store<u8>(at, load<u8>(at) | (((load<u8>(bytes + l) >> <u8>j) & 1) << shift));
    }
  }
}

function unpackQ3(p: usize, block: usize): void {
  splitTwoBits(p + 32, block);
  addBits(p, block, 2);
  const s = p + 96;
  for (let i: usize = 0; i < 16; i++) {
    const low = i < 8 ? load<u8>(s + i) & 15 : load<u8>(s + i - 8) >> 4;
    const high = (load<u8>(s + 8 + (i & 3)) >> <u8>(2 * (i >> 2))) & 3;
    store<u8>(block + BLOCK_SUBS + i, (low | (high << 4)) - 32);
  }
  store<u16>(block + BLOCK_SCALE, load<u16>(p + 108));
}

function unpackQ6(p: usize, block: usize): void {
  for (let n: usize = 0; n < 2; n++) {
    const quants = block + 128 * n;
    splitNibbles(p + 64 * n, quants, 64);
    for (let j: usize = 0; j < 4; j++) {
      for (let l: usize = 0; l < 32; l += 8) {
        const at = quants + 32 * j + l;
        const two = (load<u64>(p + 128 + 32 * n + l) >> <u64>(2 * j)) & 0x0303030303030303;
        store<u64>(at, load<u64>(at) | (two << 4));
      }
    }
  }
  memory.copy(block + BLOCK_SUBS, p + 192, 16);
  store<u16>(block + BLOCK_SCALE, load<u16>(p + 208));
}

function unpackIq4Xs(p: usize, block: usize): void {
  store<u16>(block + BLOCK_SCALE, load<u16>(p));
  const high = <u32>load<u16>(p + 2);
  for (let i: usize = 0; i < 8; i++) {
    const low = (<u32>load<u8>(p + 4 + (i >> 1)) >> (4 * (i & 1))) & 15;
    store<u8>(block + BLOCK_SUBS + i, <u8>((low | (((high >> (2 * i)) & 3) << 4)) - 32));
    lookUp(p + 8 + 16 * i, iq4Levels(), block + 32 * i);
  }
}

export function unpackBlock(dtype: u32, p: usize, block: usize): void {
  switch (dtype) {
    case Q4_0:
      store<u16>(block + BLOCK_SCALE, load<u16>(p));
      splitNibbles(p + 2, block, 16);
      break;
    case Q4_1:
      store<u16>(block + BLOCK_SCALE, load<u16>(p));
      store<u16>(block + BLOCK_MIN, load<u16>(p + 2));
      splitNibbles(p + 4, block, 16);
      break;
    case Q5_0:
      store<u16>(block + BLOCK_SCALE, load<u16>(p));
      splitNibbles(p + 6, block, 16);
      addFifthBits(p + 2, block);
      break;
    case Q5_1:
      store<u16>(block + BLOCK_SCALE, load<u16>(p));
      store<u16>(block + BLOCK_MIN, load<u16>(p + 2));
      splitNibbles(p + 8, block, 16);
      addFifthBits(p + 4, block);
      break;
    case Q8_0:
      store<u16>(block + BLOCK_SCALE, load<u16>(p));
      v128.store(block, v128.xor(v128.load(p + 2), i8x16.splat(-128)));
      v128.store(block + 16, v128.xor(v128.load(p + 18), i8x16.splat(-128)));
      break;
    case IQ4_NL:
      store<u16>(block + BLOCK_SCALE, load<u16>(p));
      lookUp(p + 2, iq4Levels(), block);
      break;
    case MXFP4: {
      // Half of 2^(e - 127), as the levels are doubled; the two smallest are subnormal.
      const e = <u32>load<u8>(p);
      store<u32>(block + BLOCK_SCALE, e < 2 ? 0x00200000 << e : (e - 1) << 23);
      lookUp(p + 1, fp4Levels(), block);
      break;
    }
    case Q2_K:
      for (let i: usize = 0; i < 16; i++) {
        store<u8>(block + BLOCK_SUBS + i, load<u8>(p + i) & 15);
        store<u8>(block + BLOCK_SUBMINS + i, load<u8>(p + i) >> 4);
      }
      splitTwoBits(p + 16, block);
      store<u16>(block + BLOCK_SCALE, load<u16>(p + 80));
      store<u16>(block + BLOCK_MIN, load<u16>(p + 82));
      break;
    case Q3_K:
      unpackQ3(p, block);
      break;
    case Q4_K:
    case Q5_K: {
      store<u16>(block + BLOCK_SCALE, load<u16>(p));
      store<u16>(block + BLOCK_MIN, load<u16>(p + 2));
      unpackScales(p + 4, block);
      const nibbles = p + (dtype == Q5_K ? 48 : 16);
      for (let j: usize = 0; j < 4; j++) splitNibbles(nibbles + 32 * j, block + 64 * j, 32);
      if (dtype == Q5_K) addBits(p + 16, block, 4);
      break;
    }
    case Q6_K:
      unpackQ6(p, block);
      break;
    case IQ4_XS:
      unpackIq4Xs(p, block);
      break;
    default:
      unreachable();
  }
}
