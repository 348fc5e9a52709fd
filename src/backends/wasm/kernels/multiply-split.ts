// A split panel times one row: its upper and its lower halves are multiplied apart. The same bits as of a whole one.
import { NARROW, W_UNIT_BYTES } from "../layout";
import { addDot, whole, xFirst, xSecond, xStep } from "./dot";
import { finiteHalves, madd } from "./math";
import { xQuantBytes } from "./prepare-x";
import { lowOf, unitOf } from "./scales";

/** As multiplyRow. */
export function multiplySplit(
  weight: usize,
  panel: usize,
  begin: u32,
  end: u32,
  x: usize,
  columns: u32,
  sums: usize,
): void {
  const unitBytes = load<u32>(weight + W_UNIT_BYTES);
  let unit = unitOf(weight, panel, begin);
  let low = lowOf(weight, panel, begin);
  let xScales = x + xQuantBytes(columns) + (begin >> 3);
  let xSums = x + xQuantBytes(columns) + (columns >> 3) + (begin >> 2);
  x += begin * (ASC_FEATURE_RELAXED_SIMD ? 1 : 2);
  for (let k = begin; k < end; k += 32) {
    const start = -128 * (load<i32>(xSums) + load<i32>(xSums, 4));
    const scale = v128.load32_splat(xScales);
    for (let quad: usize = 0; quad < 4; quad++) {
      const upper = halfDots(unit + 16 * quad, x);
      const lower = halfDots(low + 16 * quad, x);
      const dots = i32x4.add(i32x4.add(i32x4.shl(upper, 4), lower), i32x4.splat(start));
      const factors = finiteHalves(v128.load_ext<i16>(unit + 256 + 8 * quad));
      const to = sums + 16 * quad;
      v128.store(to, madd(f32x4.mul(f32x4.convert_i32x4_s(dots), factors), scale, v128.load(to)));
    }
    xScales += 4;
    xSums += 8;
    x += 8 * xStep();
    unit += unitBytes;
    low += 256;
  }
}

/** Four rows' nibbles of a unit times 32 activations. */
// @ts-ignore: decorator
@inline
export function halfDots(nibbles: usize, x: usize): v128 {
  return ASC_FEATURE_RELAXED_SIMD && load<u32>(NARROW) != 0 ? nibbleDots(true, nibbles, x) : nibbleDots(false, nibbles, x);
}

// @ts-ignore: decorator
@inline
function nibbleDots(isNarrow: bool, nibbles: usize, x: usize): v128 {
  const mask = i8x16.splat(15);
  let sum = i32x4.splat(0);
  for (let j: usize = 0; j < 4; j++) {
    const pair = v128.load(nibbles + 64 * j);
    const at = x + 2 * j * xStep();
    sum = addDot(isNarrow, v128.and(pair, mask), xFirst(at), xSecond(at), sum);
    sum = addDot(isNarrow, v128.and(i16x8.shr_u(pair, 4), mask), xFirst(at + xStep()), xSecond(at + xStep()), sum);
  }
  return whole(isNarrow, sum);
}
