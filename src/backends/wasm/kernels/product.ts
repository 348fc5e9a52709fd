// c += a · b for f32 matrices that lie in memory as they are. Each element sums its terms in order, one product and one
// addition each, whatever tile it is in.
import { arg } from "./jobs";
import { madd } from "./math";

// @ts-ignore: decorator
@inline
function at(a: usize, offset: usize): v128 {
  return v128.load32_splat(a + offset);
}

/** 4 × 8. Strides are in bytes: a's row r, term k at a + r · ar + k · ak. */
function tile4x8(c: usize, cs: usize, a: usize, ar: usize, ak: usize, b: usize, bs: usize, terms: u32): void {
  const c1 = c + cs;
  const c2 = c1 + cs;
  const c3 = c2 + cs;
  const a2 = 2 * ar;
  const a3 = 3 * ar;
  let s00 = v128.load(c);
  let s01 = v128.load(c, 16);
  let s10 = v128.load(c1);
  let s11 = v128.load(c1, 16);
  let s20 = v128.load(c2);
  let s21 = v128.load(c2, 16);
  let s30 = v128.load(c3);
  let s31 = v128.load(c3, 16);
  for (let k: u32 = 0; k < terms; k++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = at(a, 0);
    s00 = madd(x, b0, s00);
    s01 = madd(x, b1, s01);
    x = at(a, ar);
    s10 = madd(x, b0, s10);
    s11 = madd(x, b1, s11);
    x = at(a, a2);
    s20 = madd(x, b0, s20);
    s21 = madd(x, b1, s21);
    x = at(a, a3);
    s30 = madd(x, b0, s30);
    s31 = madd(x, b1, s31);
    a += ak;
    b += bs;
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c1, s10);
  v128.store(c1, s11, 16);
  v128.store(c2, s20);
  v128.store(c2, s21, 16);
  v128.store(c3, s30);
  v128.store(c3, s31, 16);
}

function tile1x16(c: usize, a: usize, ak: usize, b: usize, bs: usize, terms: u32): void {
  let s0 = v128.load(c);
  let s1 = v128.load(c, 16);
  let s2 = v128.load(c, 32);
  let s3 = v128.load(c, 48);
  for (let k: u32 = 0; k < terms; k++) {
    const x = at(a, 0);
    s0 = madd(x, v128.load(b), s0);
    s1 = madd(x, v128.load(b, 16), s1);
    s2 = madd(x, v128.load(b, 32), s2);
    s3 = madd(x, v128.load(b, 48), s3);
    a += ak;
    b += bs;
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}

function tile1x4(c: usize, a: usize, ak: usize, b: usize, bs: usize, terms: u32): void {
  let sum = v128.load(c);
  for (let k: u32 = 0; k < terms; k++) {
    sum = madd(at(a, 0), v128.load(b), sum);
    a += ak;
    b += bs;
  }
  v128.store(c, sum);
}

function tile1x1(c: usize, a: usize, ak: usize, b: usize, bs: usize, terms: u32): void {
  let sum = load<f32>(c);
  for (let k: u32 = 0; k < terms; k++) {
    sum += load<f32>(a) * load<f32>(b);
    a += ak;
    b += bs;
  }
  store<f32>(c, sum);
}

/** c [rows, columns] += a [rows, terms] · b [terms, columns]. Strides in bytes. */
export function product(
  c: usize,
  cs: usize,
  a: usize,
  ar: usize,
  ak: usize,
  b: usize,
  bs: usize,
  rows: u32,
  columns: u32,
  terms: u32,
): void {
  let row: u32 = 0;
  for (; row + 4 <= rows; row += 4) {
    const to = c + row * cs;
    const from = a + row * ar;
    let column: u32 = 0;
    for (; column + 8 <= columns; column += 8) {
      tile4x8(to + 4 * column, cs, from, ar, ak, b + 4 * column, bs, terms);
    }
    for (let r: u32 = 0; r < 4 && column < columns; r++) {
      oneRow(to + r * cs, from + r * ar, ak, b, bs, column, columns, terms);
    }
  }
  for (; row < rows; row++) oneRow(c + row * cs, a + row * ar, ak, b, bs, 0, columns, terms);
}

function oneRow(c: usize, a: usize, ak: usize, b: usize, bs: usize, column: u32, columns: u32, terms: u32): void {
  for (; column + 16 <= columns; column += 16) tile1x16(c + 4 * column, a, ak, b + 4 * column, bs, terms);
  for (; column + 4 <= columns; column += 4) tile1x4(c + 4 * column, a, ak, b + 4 * column, bs, terms);
  for (; column < columns; column++) tile1x1(c + 4 * column, a, ak, b + 4 * column, bs, terms);
}

const ROWS_AN_ITEM: u32 = 16;
const TERMS: u32 = 256; // of b that stay in the first cache with a strip of columns
const STRIP: u32 = 64;

/**
 * Item: 16 rows of c. Arguments: c, its stride, a, strides of its rows and terms, b, its stride (in bytes), rows, columns,
 * terms.
 */
export function productRows(begin: u32, end: u32): void {
  const cs = arg(1);
  const rows = <u32>arg(7);
  const columns = <u32>arg(8);
  const terms = <u32>arg(9);
  for (let item = begin; item < end; item++) {
    const row = item * ROWS_AN_ITEM;
    const count = rows - row < ROWS_AN_ITEM ? rows - row : ROWS_AN_ITEM;
    for (let k: u32 = 0; k < terms; k += TERMS) {
      const some = terms - k < TERMS ? terms - k : TERMS;
      const a = arg(2) + row * arg(3) + k * arg(4);
      for (let column: u32 = 0; column < columns; column += STRIP) {
        const wide = columns - column < STRIP ? columns - column : STRIP;
        const b = arg(5) + k * arg(6) + 4 * column;
        product(arg(0) + row * cs + 4 * column, cs, a, arg(3), arg(4), b, arg(6), count, wide, some);
      }
    }
  }
}
