// Bounds of logits from the upper halves of a split head, their refinement, and exact logits of some panels.
// Contract: backend/ops/choose-ids.ts. A logit is the sum over units of
//     weight scale · scale · (16 upper - 128 + 7.5 + e) · quants,  e = lower - 7.5
// where |e · quants| <= |e| |quants| (Cauchy-Schwarz), and |e| is at most the row's norm.
import {
  PANEL_ROWS,
  S_BYTES,
  S_DROP,
  S_LOWER,
  S_LOWER_CENTRE,
  S_REACH,
  S_UPPER,
  S_UPPER_CENTRE,
  W_COLUMNS,
  W_PANEL_BYTES,
  W_UNIT_BYTES,
} from "../layout";
import { xStep } from "./dot";
import { arg, argF32, scratch } from "./jobs";
import { finiteHalves, madd, splat } from "./math";
import { multiplyPanel } from "./matmul";
import { halfDots } from "./multiply-split";
import { lowOf, panelOf, unitOf } from "./scales";

/** Item: a panel. Arguments: weight, a prepared row, what is known of its groups, estimates [panels][16], slacks alike. */
export function screen(begin: u32, end: u32): void {
  const weight = arg(0);
  const columns = load<u32>(weight + W_COLUMNS);
  const unitBytes = load<u32>(weight + W_UNIT_BYTES);
  for (let index = begin; index < end; index++) {
    const panel = panelOf(weight, index);
    let unit = panel;
    let x = arg(1);
    let group = arg(2);
    let e0 = splat(0);
    let e1 = e0;
    let e2 = e0;
    let e3 = e0;
    let r0 = e0;
    let r1 = e0;
    let r2 = e0;
    let r3 = e0;
    for (let k: u32 = 0; k < columns; k += 32) {
      const factor = v128.load32_splat(group + S_UPPER);
      const centre = v128.load32_splat(group + S_UPPER_CENTRE);
      const reach = v128.load32_splat(group + S_REACH);
      const s0 = finiteHalves(v128.load_ext<i16>(unit, 256));
      const s1 = finiteHalves(v128.load_ext<i16>(unit, 264));
      const s2 = finiteHalves(v128.load_ext<i16>(unit, 272));
      const s3 = finiteHalves(v128.load_ext<i16>(unit, 280));
      r0 = madd(f32x4.abs(s0), reach, r0);
      r1 = madd(f32x4.abs(s1), reach, r1);
      r2 = madd(f32x4.abs(s2), reach, r2);
      r3 = madd(f32x4.abs(s3), reach, r3);
      e0 = madd(s0, madd(f32x4.convert_i32x4_s(halfDots(unit, x)), factor, centre), e0);
      e1 = madd(s1, madd(f32x4.convert_i32x4_s(halfDots(unit + 16, x)), factor, centre), e1);
      e2 = madd(s2, madd(f32x4.convert_i32x4_s(halfDots(unit + 32, x)), factor, centre), e2);
      e3 = madd(s3, madd(f32x4.convert_i32x4_s(halfDots(unit + 48, x)), factor, centre), e3);
      unit += unitBytes;
      x += 8 * xStep();
      group += S_BYTES;
    }
    const norms = normsOf(weight, panel);
    const at = 64 * index;
    v128.store(arg(3) + at, e0);
    v128.store(arg(3) + at, e1, 16);
    v128.store(arg(3) + at, e2, 32);
    v128.store(arg(3) + at, e3, 48);
    v128.store(arg(4) + at, f32x4.mul(v128.load(norms), r0));
    v128.store(arg(4) + at, f32x4.mul(v128.load(norms, 16), r1), 16);
    v128.store(arg(4) + at, f32x4.mul(v128.load(norms, 32), r2), 32);
    v128.store(arg(4) + at, f32x4.mul(v128.load(norms, 48), r3), 48);
  }
}

// @ts-ignore: decorator
@inline
function normsOf(weight: usize, panel: usize): usize {
  return panel + load<u32>(weight + W_PANEL_BYTES) - 4 * PANEL_ROWS;
}

export const AT_ONCE: u8 = 0; //   below the threshold by the upper halves alone
export const BELOW: u8 = 1;
export const MAY_REACH: u8 = 2;

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
    store<u8>(arg(7) + index, found);
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
