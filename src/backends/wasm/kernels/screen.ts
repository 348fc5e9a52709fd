// Bounds of logits from the upper halves of a split head, their refinement, and exact logits of some panels.
// Contract: backend/ops/choose-ids.ts. A logit is the sum over units of
//     weight scale · scale · (16 upper - 128 + 7.5 + e) · quants,  e = lower - 7.5
// where |e · quants| <= |e| |quants| (Cauchy-Schwarz), and |e| is at most the row's norm.
import {
  AT_ONCE,
  BELOW,
  MAY_REACH,
  NARROW,
  S_BYTES,
  S_DROP,
  S_LOWER,
  S_LOWER_CENTRE,
  S_REACH,
  S_UPPER,
  S_UPPER_CENTRE,
  W_COLUMNS,
  W_UNIT_BYTES,
} from "../layout";
import { addDot, whole, xFirst, xSecond, xStep } from "./dot";
import { arg, argF32, scratch } from "./jobs";
import { finiteHalves, madd, splat } from "./math";
import { multiplyPanel } from "./matmul";
import { halfDots } from "./multiply-split";
import { lowOf, normsOf, panelOf, unitOf } from "./scales";

/** Item: a panel. Arguments: weight, a prepared row, what is known of its groups, estimates [panels][16], slacks alike. */
export function screen(begin: u32, end: u32): void {
  const weight = arg(0);
  const isNarrow = ASC_FEATURE_RELAXED_SIMD && load<u32>(NARROW) != 0;
  for (let index = begin; index < end; index++) {
    const panel = panelOf(weight, index);
    if (isNarrow) screenNarrow(weight, panel, arg(1), arg(2), arg(3) + 64 * index, arg(4) + 64 * index);
    else screenWide(weight, panel, arg(1), arg(2), arg(3) + 64 * index, arg(4) + 64 * index);
  }
}

// Functions of their own, as in row-variants.ts.
export function screenNarrow(w: usize, p: usize, x: usize, g: usize, e: usize, s: usize): void { if (ASC_FEATURE_RELAXED_SIMD) screenPanel(true, w, p, x, g, e, s); }
export function screenWide(w: usize, p: usize, x: usize, g: usize, e: usize, s: usize): void { screenPanel(false, w, p, x, g, e, s); }

// @ts-ignore: decorator
@inline
function screenPanel(
  isNarrow: bool,
  weight: usize,
  panel: usize,
  x: usize,
  group: usize,
  estimates: usize,
  slacks: usize,
): void {
  const unitBytes = load<u32>(weight + W_UNIT_BYTES);
  const norms = normsOf(weight, panel);
  const mask = i8x16.splat(15);
  let e0 = splat(0);
  let e1 = e0;
  let e2 = e0;
  let e3 = e0;
  let r0 = e0;
  let r1 = e0;
  let r2 = e0;
  let r3 = e0;
  for (let unit = panel; unit < norms; unit += unitBytes) {
    let n0 = i32x4.splat(0);
    let n1 = n0;
    let n2 = n0;
    let n3 = n0;
    for (let j: usize = 0; j < 256; j += 64) {
      const q0 = v128.load(unit + j);
      const q1 = v128.load(unit + j, 16);
      const q2 = v128.load(unit + j, 32);
      const q3 = v128.load(unit + j, 48);
      let first = xFirst(x);
      let second = xSecond(x);
      n0 = addDot(isNarrow, v128.and(q0, mask), first, second, n0);
      n1 = addDot(isNarrow, v128.and(q1, mask), first, second, n1);
      n2 = addDot(isNarrow, v128.and(q2, mask), first, second, n2);
      n3 = addDot(isNarrow, v128.and(q3, mask), first, second, n3);
      first = xFirst(x + xStep());
      second = xSecond(x + xStep());
      n0 = addDot(isNarrow, v128.and(i16x8.shr_u(q0, 4), mask), first, second, n0);
      n1 = addDot(isNarrow, v128.and(i16x8.shr_u(q1, 4), mask), first, second, n1);
      n2 = addDot(isNarrow, v128.and(i16x8.shr_u(q2, 4), mask), first, second, n2);
      n3 = addDot(isNarrow, v128.and(i16x8.shr_u(q3, 4), mask), first, second, n3);
      x += 2 * xStep();
    }
    const factor = v128.load32_splat(group + S_UPPER);
    const centre = v128.load32_splat(group + S_UPPER_CENTRE);
    const reach = v128.load32_splat(group + S_REACH);
    let scale = finiteHalves(v128.load_ext<i16>(unit, 256));
    e0 = madd(scale, madd(f32x4.convert_i32x4_s(whole(isNarrow, n0)), factor, centre), e0);
    r0 = madd(f32x4.abs(scale), reach, r0);
    scale = finiteHalves(v128.load_ext<i16>(unit, 264));
    e1 = madd(scale, madd(f32x4.convert_i32x4_s(whole(isNarrow, n1)), factor, centre), e1);
    r1 = madd(f32x4.abs(scale), reach, r1);
    scale = finiteHalves(v128.load_ext<i16>(unit, 272));
    e2 = madd(scale, madd(f32x4.convert_i32x4_s(whole(isNarrow, n2)), factor, centre), e2);
    r2 = madd(f32x4.abs(scale), reach, r2);
    scale = finiteHalves(v128.load_ext<i16>(unit, 280));
    e3 = madd(scale, madd(f32x4.convert_i32x4_s(whole(isNarrow, n3)), factor, centre), e3);
    r3 = madd(f32x4.abs(scale), reach, r3);
    group += S_BYTES;
  }
  v128.store(estimates, e0);
  v128.store(estimates, e1, 16);
  v128.store(estimates, e2, 32);
  v128.store(estimates, e3, 48);
  v128.store(slacks, f32x4.mul(v128.load(norms), r0));
  v128.store(slacks, f32x4.mul(v128.load(norms, 16), r1), 16);
  v128.store(slacks, f32x4.mul(v128.load(norms, 32), r2), 32);
  v128.store(slacks, f32x4.mul(v128.load(norms, 48), r3), 48);
}

const STRIDE: u32 = 2; // groups that are read between two looks at the bounds

/**
 * Reads as many of the lower halves as it takes to see that none of a panel's logits reaches the threshold, or all. Item: a
 * panel. Arguments: those of screen, then the order of groups (u32 [K / 32]), threshold, found (u8 [panels]).
 */
export function refine(begin: u32, end: u32): void {
  const weight = arg(0);
  const groups = load<u32>(weight + W_COLUMNS) >> 5;
  const threshold = splat(argF32(6));
  for (let index = begin; index < end; index++) {
    const panel = panelOf(weight, index);
    const estimates = arg(3) + 64 * index;
    const slacks = arg(4) + 64 * index;
    let found = reaches(estimates, slacks, threshold) ? MAY_REACH : AT_ONCE;
    for (let g: u32 = 0; found == MAY_REACH && g < groups; g += STRIDE) {
      for (let i = g; i < groups && i < g + STRIDE; i++) {
        refineGroup(weight, panel, load<u32>(arg(5) + 4 * i), estimates, slacks);
      }
      if (!reaches(estimates, slacks, threshold)) found = BELOW;
    }
    store<u8>(arg(7) + index, <u8>found);
  }
}

function refineGroup(weight: usize, panel: usize, g: u32, estimates: usize, slacks: usize): void {
  const group = arg(2) + S_BYTES * g;
  const factor = v128.load32_splat(group + S_LOWER);
  const centre = v128.load32_splat(group + S_LOWER_CENTRE);
  const drop = v128.load32_splat(group + S_DROP);
  const unit = unitOf(weight, panel, 32 * g);
  const low = lowOf(weight, panel, 32 * g);
  const x = arg(1) + 8 * g * xStep();
  const norms = normsOf(weight, panel);
  for (let quad: usize = 0; quad < 4; quad++) {
    const scale = finiteHalves(v128.load_ext<i16>(unit + 256 + 8 * quad));
    const dots = f32x4.convert_i32x4_s(halfDots(low + 16 * quad, x));
    const estimate = madd(scale, madd(dots, factor, centre), v128.load(estimates + 16 * quad));
    const less = f32x4.mul(f32x4.mul(v128.load(norms + 16 * quad), f32x4.abs(scale)), drop);
    v128.store(estimates + 16 * quad, estimate);
    v128.store(slacks + 16 * quad, f32x4.sub(v128.load(slacks + 16 * quad), less));
  }
}

/** Whether one of a panel's bounds is not below the threshold; what is no number counts as reaching. */
// @ts-ignore: decorator
@inline
function reaches(estimates: usize, slacks: usize, threshold: v128): bool {
  let below = i32x4.splat(-1);
  for (let i: usize = 0; i < 64; i += 16) {
    below = v128.and(below, f32x4.lt(f32x4.add(v128.load(estimates + i), v128.load(slacks + i)), threshold));
  }
  return !i32x4.all_true(below);
}

/** Exact logits. Item: a panel of a list. Arguments: weight, a prepared row, the list (u32), logits [list][16]. */
export function somePanels(begin: u32, end: u32): void {
  for (let item = begin; item < end; item++) {
    multiplyPanel(arg(0), load<u32>(arg(2) + 4 * item), 0, arg(1), 0, 1, true, scratch);
    memory.copy(arg(3) + 64 * item, scratch, 64);
  }
}
