// The inner loops of products with one row, each a function of its own: compilers allot registers badly in huge ones. The
// binary exports them (index.ts), or they would become one all the same. Arguments as multiplyRow has them.
import { multiplyBytes } from "./multiply-bytes";
import { multiplyGroups } from "./multiply-groups";

export function narrow4Plain(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { if (ASC_FEATURE_RELAXED_SIMD) multiplyGroups(4, true, true, false, w, p, b, e, x, n, t, s); }
export function narrow4Groups(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { if (ASC_FEATURE_RELAXED_SIMD) multiplyGroups(4, true, false, false, w, p, b, e, x, n, t, s); }
export function narrow4Halves(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { if (ASC_FEATURE_RELAXED_SIMD) multiplyGroups(4, true, false, true, w, p, b, e, x, n, t, s); }
export function narrow7Plain(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { if (ASC_FEATURE_RELAXED_SIMD) multiplyGroups(7, true, true, false, w, p, b, e, x, n, t, s); }
export function narrow7Groups(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { if (ASC_FEATURE_RELAXED_SIMD) multiplyGroups(7, true, false, false, w, p, b, e, x, n, t, s); }
export function narrow7Halves(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { if (ASC_FEATURE_RELAXED_SIMD) multiplyGroups(7, true, false, true, w, p, b, e, x, n, t, s); }
export function wide4Plain(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { multiplyGroups(4, false, true, false, w, p, b, e, x, n, t, s); }
export function wide4Groups(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { multiplyGroups(4, false, false, false, w, p, b, e, x, n, t, s); }
export function wide4Halves(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { multiplyGroups(4, false, false, true, w, p, b, e, x, n, t, s); }
export function wide7Plain(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { multiplyGroups(7, false, true, false, w, p, b, e, x, n, t, s); }
export function wide7Groups(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { multiplyGroups(7, false, false, false, w, p, b, e, x, n, t, s); }
export function wide7Halves(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { multiplyGroups(7, false, false, true, w, p, b, e, x, n, t, s); }
export function bytesPlain(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { multiplyBytes(true, w, p, b, e, x, n, t, s); }
export function bytesOther(w: usize, p: usize, b: u32, e: u32, x: usize, n: u32, t: usize, s: usize): void { multiplyBytes(false, w, p, b, e, x, n, t, s); }
