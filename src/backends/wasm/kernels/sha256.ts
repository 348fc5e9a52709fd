// SHA-256 (FIPS 180-4) of whole blocks: a module of its own, which src/base/sha256-wasm.ts has as text. Its memory, in bytes:
//      0  K, 64 words
//    256  the state, 8 words
//    512  K + W of four blocks, [64][4] words
//   2048  the blocks, 64 bytes each

const STATE: usize = 256;
const SCHEDULE: usize = 512;
const SCHEDULE_END: usize = SCHEDULE + 64 * 16;
const BLOCKS: usize = 2048;

/** Takes `count` blocks, a multiple of four, into the state. */
export function compress(count: u32): void {
  for (let at = BLOCKS, end = BLOCKS + 64 * count; at < end; at += 256) {
    schedule(at);
    for (let block: usize = 0; block < 4; block++) rounds(SCHEDULE + 4 * block);
  }
}

/** W needs nothing of the state: a lane of each vector is a block. */
function schedule(at: usize): void {
  for (let t: usize = 0; t < 16; t += 4, at += 16) {
    const a = swapped(at);
    const b = swapped(at + 64);
    const c = swapped(at + 128);
    const d = swapped(at + 192);
    const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
    const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
    const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
    const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
    const to = SCHEDULE + 16 * t;
    v128.store(to, i64x2.shuffle(ab, cd, 0, 2));
    v128.store(to, i64x2.shuffle(ab, cd, 1, 3), 16);
    v128.store(to, i64x2.shuffle(abHigh, cdHigh, 0, 2), 32);
    v128.store(to, i64x2.shuffle(abHigh, cdHigh, 1, 3), 48);
  }
  for (let w = SCHEDULE; w < SCHEDULE_END - 256; w += 16) {
    const early = i32x4.add(v128.load(w), sigma(v128.load(w, 16), 7, 18, 3));
    const late = i32x4.add(v128.load(w, 9 * 16), sigma(v128.load(w, 14 * 16), 17, 19, 10));
    v128.store(w, i32x4.add(early, late), 256);
  }
  for (let w = SCHEDULE, k: usize = 0; w < SCHEDULE_END; w += 16, k += 4) {
    v128.store(w, i32x4.add(v128.load(w), v128.load32_splat(k)));
  }
}

/** The 64 rounds of one block, eight at a time: then every word is in its place again. */
function rounds(from: usize): void {
  let a = load<u32>(STATE);
  let b = load<u32>(STATE, 4);
  let c = load<u32>(STATE, 8);
  let d = load<u32>(STATE, 12);
  let e = load<u32>(STATE, 16);
  let f = load<u32>(STATE, 20);
  let g = load<u32>(STATE, 24);
  let h = load<u32>(STATE, 28);
  for (let kw = from; kw < SCHEDULE_END; kw += 128) {
    h += chosen(e, f, g) + load<u32>(kw);
    d += h;
    h += majority(a, b, c);
    g += chosen(d, e, f) + load<u32>(kw, 16);
    c += g;
    g += majority(h, a, b);
    f += chosen(c, d, e) + load<u32>(kw, 32);
    b += f;
    f += majority(g, h, a);
    e += chosen(b, c, d) + load<u32>(kw, 48);
    a += e;
    e += majority(f, g, h);
    d += chosen(a, b, c) + load<u32>(kw, 64);
    h += d;
    d += majority(e, f, g);
    c += chosen(h, a, b) + load<u32>(kw, 80);
    g += c;
    c += majority(d, e, f);
    b += chosen(g, h, a) + load<u32>(kw, 96);
    f += b;
    b += majority(c, d, e);
    a += chosen(f, g, h) + load<u32>(kw, 112);
    e += a;
    a += majority(b, c, d);
  }
  store<u32>(STATE, load<u32>(STATE) + a);
  store<u32>(STATE, load<u32>(STATE, 4) + b, 4);
  store<u32>(STATE, load<u32>(STATE, 8) + c, 8);
  store<u32>(STATE, load<u32>(STATE, 12) + d, 12);
  store<u32>(STATE, load<u32>(STATE, 16) + e, 16);
  store<u32>(STATE, load<u32>(STATE, 20) + f, 20);
  store<u32>(STATE, load<u32>(STATE, 24) + g, 24);
  store<u32>(STATE, load<u32>(STATE, 28) + h, 28);
}

// @ts-ignore: decorator
@inline
function chosen(e: u32, f: u32, g: u32): u32 {
  return (rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)) + (g ^ (e & (f ^ g)));
}

// @ts-ignore: decorator
@inline
function majority(a: u32, b: u32, c: u32): u32 {
  return (rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)) + ((a & b) | (c & (a | b)));
}

// @ts-ignore: decorator
@inline
function sigma(x: v128, first: i32, second: i32, shift: i32): v128 {
  return v128.xor(v128.xor(rotated(x, first), rotated(x, second)), i32x4.shr_u(x, shift));
}

// @ts-ignore: decorator
@inline
function rotated(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(x, bits), i32x4.shl(x, 32 - bits));
}

/** Four words, which are stored with their highest byte first. */
// @ts-ignore: decorator
@inline
function swapped(at: usize): v128 {
  const x = v128.load(at);
  return i8x16.shuffle(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}
