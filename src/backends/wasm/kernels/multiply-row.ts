// A quantised panel times one row: quants are unpacked in registers.
import { NARROW, SCALES_F16, W_BITS, W_GROUP, W_LOW, W_SCALE_KIND } from "../layout";
import { multiplySplit } from "./multiply-split";
import {
  bytesOther,
  bytesPlain,
  narrow4Groups,
  narrow4Halves,
  narrow4Plain,
  narrow7Groups,
  narrow7Halves,
  narrow7Plain,
  wide4Groups,
  wide4Halves,
  wide4Plain,
  wide7Groups,
  wide7Halves,
  wide7Plain,
} from "./row-variants";

/**
 * Adds columns begin .. end of a panel times a prepared row to sums [16]: exact integer sums of a group, then in ascending
 * order one multiplication with its scale, an addition of its minimum, and one multiplication per block of 32. No scale is
 * infinite or no number.
 * @param space 256 bytes
 */
export function multiplyRow(
  weight: usize,
  panel: usize,
  begin: u32,
  end: u32,
  x: usize,
  columns: u32,
  space: usize,
  sums: usize,
): void {
  const bits = load<u32>(weight + W_BITS);
  const isPlain = load<u32>(weight + W_SCALE_KIND) == SCALES_F16;
  const isHalf = load<u32>(weight + W_GROUP) == 16;
  if (bits == 8) {
    if (load<usize>(weight + W_LOW) != 0) multiplySplit(weight, panel, begin, end, x, columns, sums);
    else if (isPlain) bytesPlain(weight, panel, begin, end, x, columns, space, sums);
    else bytesOther(weight, panel, begin, end, x, columns, space, sums);
  } else if (ASC_FEATURE_RELAXED_SIMD && load<u32>(NARROW) != 0) {
    if (bits == 4) {
      if (isPlain) narrow4Plain(weight, panel, begin, end, x, columns, space, sums);
      else if (isHalf) narrow4Halves(weight, panel, begin, end, x, columns, space, sums);
      else narrow4Groups(weight, panel, begin, end, x, columns, space, sums);
    } else {
      if (isPlain) narrow7Plain(weight, panel, begin, end, x, columns, space, sums);
      else if (isHalf) narrow7Halves(weight, panel, begin, end, x, columns, space, sums);
      else narrow7Groups(weight, panel, begin, end, x, columns, space, sums);
    }
  } else if (bits == 4) {
    if (isPlain) wide4Plain(weight, panel, begin, end, x, columns, space, sums);
    else if (isHalf) wide4Halves(weight, panel, begin, end, x, columns, space, sums);
    else wide4Groups(weight, panel, begin, end, x, columns, space, sums);
  } else {
    if (isPlain) wide7Plain(weight, panel, begin, end, x, columns, space, sums);
    else if (isHalf) wide7Halves(weight, panel, begin, end, x, columns, space, sums);
    else wide7Groups(weight, panel, begin, end, x, columns, space, sums);
  }
}
