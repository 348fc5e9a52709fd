// Stored weights, four of a row at a time. A matrix lies in planes, one for each field of its blocks (packing.ts), each
// for panels of 32 rows: word j of block b is there for the 32 rows one behind the other, so that a workgroup whose
// lanes are rows reads whole cache lines. Layouts of the blocks and arithmetic: format/dequantise*.ts.

@group(0) @binding(2) var<storage, read> weights: array<u32>;

/// Word j of a field of `words` words.
fn wordOf(plane: u32, words: u32, row: u32, block: u32, j: u32) -> u32 {
  return weights[plane + (((row >> 5u) * p.blocks + block) * words + j) * 32u + (row & 31u)];
}

/// A field of 16 bits, an f16.
fn halfOf(plane: u32, row: u32, block: u32) -> f32 {
  let i = ((row >> 5u) * p.blocks + block) * 32u + (row & 31u);
  return unpack2x16float(weights[plane + i / 2u] >> (16u * (i & 1u))).x;
}

/// A field of one byte.
fn byteOf(plane: u32, row: u32, block: u32) -> u32 {
  let i = ((row >> 5u) * p.blocks + block) * 32u + (row & 31u);
  return (weights[plane + i / 4u] >> (8u * (i & 3u))) & 255u;
}

fn bytesOf(word: u32) -> vec4<f32> {
  return vec4<f32>(vec4<u32>(word, word >> 8u, word >> 16u, word >> 24u) & vec4<u32>(255u));
}

fn signedBytesOf(word: u32) -> vec4<f32> {
  return vec4<f32>(vec4<i32>(vec4<u32>(word << 24u, word << 16u, word << 8u, word)) >> vec4<u32>(24u));
}

/// Byte i of two or more words in a field.
fn byteIn(plane: u32, words: u32, row: u32, block: u32, i: u32) -> u32 {
  return (wordOf(plane, words, row, block, i / 4u) >> (8u * (i & 3u))) & 255u;
}

// F32, F16, BF16: blocks of four.

fn weight4_F32(row: u32, k4: u32) -> vec4<f32> {
  return vec4<f32>(
    bitcast<f32>(wordOf(p.plane0, 4u, row, k4, 0u)),
    bitcast<f32>(wordOf(p.plane0, 4u, row, k4, 1u)),
    bitcast<f32>(wordOf(p.plane0, 4u, row, k4, 2u)),
    bitcast<f32>(wordOf(p.plane0, 4u, row, k4, 3u)),
  );
}

fn weight4_F16(row: u32, k4: u32) -> vec4<f32> {
  let low = unpack2x16float(wordOf(p.plane0, 2u, row, k4, 0u));
  let high = unpack2x16float(wordOf(p.plane0, 2u, row, k4, 1u));
  return vec4<f32>(low, high);
}

fn weight4_BF16(row: u32, k4: u32) -> vec4<f32> {
  let low = wordOf(p.plane0, 2u, row, k4, 0u);
  let high = wordOf(p.plane0, 2u, row, k4, 1u);
  return bitcast<vec4<f32>>(vec4<u32>(low << 16u, low & 0xffff0000u, high << 16u, high & 0xffff0000u));
}

// Blocks of 32: scale (and minimum), fifth bits, 16 bytes whose low nibbles are elements 0-15.

/// Four of the nibbles in a field of 16 bytes, each in a byte.
fn nibbles(plane: u32, row: u32, k4: u32) -> u32 {
  let word = wordOf(plane, 4u, row, k4 / 8u, k4 & 3u);
  return (word >> (4u * ((k4 >> 2u) & 1u))) & 0x0f0f0f0fu;
}

/// The fifth bits that belong to them, each as 16 in a byte.
fn fifthBits(plane: u32, row: u32, k4: u32) -> u32 {
  let bits = wordOf(plane, 1u, row, k4 / 8u, 0u) >> (4u * (k4 & 7u));
  return ((bits & 1u) << 4u) | ((bits & 2u) << 11u) | ((bits & 4u) << 18u) | ((bits & 8u) << 25u);
}

fn weight4_Q4_0(row: u32, k4: u32) -> vec4<f32> {
  return (bytesOf(nibbles(p.plane1, row, k4)) - 8.0) * halfOf(p.plane0, row, k4 / 8u);
}

fn weight4_Q4_1(row: u32, k4: u32) -> vec4<f32> {
  let scales = unpack2x16float(wordOf(p.plane0, 1u, row, k4 / 8u, 0u));
  return bytesOf(nibbles(p.plane1, row, k4)) * scales.x + scales.y;
}

fn weight4_Q5_0(row: u32, k4: u32) -> vec4<f32> {
  let codes = nibbles(p.plane2, row, k4) | fifthBits(p.plane1, row, k4);
  return (bytesOf(codes) - 16.0) * halfOf(p.plane0, row, k4 / 8u);
}

fn weight4_Q5_1(row: u32, k4: u32) -> vec4<f32> {
  let scales = unpack2x16float(wordOf(p.plane0, 1u, row, k4 / 8u, 0u));
  let codes = nibbles(p.plane2, row, k4) | fifthBits(p.plane1, row, k4);
  return bytesOf(codes) * scales.x + scales.y;
}

fn weight4_Q8_0(row: u32, k4: u32) -> vec4<f32> {
  return signedBytesOf(wordOf(p.plane1, 8u, row, k4 / 8u, k4 & 7u)) * halfOf(p.plane0, row, k4 / 8u);
}

const IQ4_LEVELS = array<f32, 16>(
  -127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0
);

fn iq4Levels(codes: u32) -> vec4<f32> {
  var levels = IQ4_LEVELS;
  return vec4<f32>(
    levels[codes & 15u], levels[(codes >> 8u) & 15u], levels[(codes >> 16u) & 15u], levels[codes >> 24u]
  );
}

fn weight4_IQ4_NL(row: u32, k4: u32) -> vec4<f32> {
  return iq4Levels(nibbles(p.plane1, row, k4)) * halfOf(p.plane0, row, k4 / 8u);
}

/// Twice the value of an E2M1 float: 0, 1, 2, 3, 4, 6, 8, 12 and their negatives.
fn mxfp4Level(code: u32) -> f32 {
  let size = f32(select((2u + (code & 1u)) << (((code >> 1u) & 3u) - 1u), code & 1u, (code & 6u) == 0u));
  return select(size, -size, code > 8u); // minus zero is zero
}

fn weight4_MXFP4(row: u32, k4: u32) -> vec4<f32> {
  let codes = nibbles(p.plane1, row, k4);
  let exponent = i32(byteOf(p.plane0, row, k4 / 8u)) - 128;
  let half = exponent / 2;
  return vec4<f32>(
    mxfp4Level(codes & 15u), mxfp4Level((codes >> 8u) & 15u),
    mxfp4Level((codes >> 16u) & 15u), mxfp4Level(codes >> 24u),
  ) * powerOfTwo(half) * powerOfTwo(exponent - half);
}
