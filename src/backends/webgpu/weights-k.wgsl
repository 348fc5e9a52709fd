// Blocks of 256 with scales of their own for each 16 or 32 elements: format/dequantise-k.ts.

/// q (d s) - (m t): planes are (scale, minimum) nibbles, 64 bytes of 2 bits, d and m.
fn weight4_Q2_K(row: u32, k4: u32) -> vec4<f32> {
  let block = k4 / 64u;
  let group = (k4 / 4u) & 15u;
  let d = unpack2x16float(wordOf(p.plane2, 1u, row, block, 0u));
  let pair = byteIn(p.plane0, 4u, row, block, group);
  let word = wordOf(p.plane1, 16u, row, block, 8u * (group >> 3u) + 4u * (group & 1u) + (k4 & 3u));
  let codes = (word >> (2u * ((group >> 1u) & 3u))) & 0x03030303u;
  return bytesOf(codes) * (d.x * f32(pair & 15u)) - d.y * f32(pair >> 4u);
}

/// (q - 4) (d (s - 32)): planes are third bits, 64 bytes of 2 bits, 16 scales of 6 bits, d.
fn weight4_Q3_K(row: u32, k4: u32) -> vec4<f32> {
  let block = k4 / 64u;
  let group = (k4 / 4u) & 15u;
  let low = (byteIn(p.plane2, 3u, row, block, group & 7u) >> (4u * (group >> 3u))) & 15u;
  let high = (byteIn(p.plane2, 3u, row, block, 8u + (group & 3u)) >> (2u * (group >> 2u))) & 3u;
  let scale = halfOf(p.plane3, row, block) * (f32(low | (high << 4u)) - 32.0);
  let word = wordOf(p.plane1, 16u, row, block, 8u * (group >> 3u) + 4u * (group & 1u) + (k4 & 3u));
  let codes = (word >> (2u * ((group >> 1u) & 3u))) & 0x03030303u;
  let thirds = (wordOf(p.plane0, 8u, row, block, 4u * (group & 1u) + (k4 & 3u)) >> (group >> 1u)) & 0x01010101u;
  return (bytesOf(codes | (thirds << 2u)) - 4.0) * scale;
}

/// Scale and minimum of a group of 32, 6 bits each: Q4_K and Q5_K.
fn sixBits(plane: u32, row: u32, block: u32, group: u32) -> vec2<f32> {
  let i = group & 3u;
  let a = byteIn(plane, 3u, row, block, i);
  let b = byteIn(plane, 3u, row, block, i + 4u);
  if (group < 4u) {
    return vec2<f32>(f32(a & 63u), f32(b & 63u));
  }
  let c = byteIn(plane, 3u, row, block, i + 8u);
  return vec2<f32>(f32((c & 15u) | ((a >> 6u) << 4u)), f32((c >> 4u) | ((b >> 6u) << 4u)));
}

/// q (d s) - (m t): planes are d and m, 8 scales and minima of 6 bits, 128 bytes of 4 bits.
fn weight4_Q4_K(row: u32, k4: u32) -> vec4<f32> {
  let block = k4 / 64u;
  let group = (k4 / 8u) & 7u;
  let scales = unpack2x16float(wordOf(p.plane0, 1u, row, block, 0u)) * sixBits(p.plane1, row, block, group);
  let word = wordOf(p.plane2, 32u, row, block, 8u * (group >> 1u) + (k4 & 7u));
  return bytesOf((word >> (4u * (group & 1u))) & 0x0f0f0f0fu) * scales.x - scales.y;
}

/// As Q4_K, with 256 fifth bits before the 128 bytes.
fn weight4_Q5_K(row: u32, k4: u32) -> vec4<f32> {
  let block = k4 / 64u;
  let group = (k4 / 8u) & 7u;
  let scales = unpack2x16float(wordOf(p.plane0, 1u, row, block, 0u)) * sixBits(p.plane1, row, block, group);
  let fifths = (wordOf(p.plane2, 8u, row, block, k4 & 7u) >> group) & 0x01010101u;
  let word = wordOf(p.plane3, 32u, row, block, 8u * (group >> 1u) + (k4 & 7u));
  let codes = ((word >> (4u * (group & 1u))) & 0x0f0f0f0fu) | (fifths << 4u);
  return bytesOf(codes) * scales.x - scales.y;
}

/// (q - 32) (d s): planes are 128 bytes of 4 bits, 64 of 2 bits, 16 signed scales, d.
fn weight4_Q6_K(row: u32, k4: u32) -> vec4<f32> {
  let block = k4 / 64u;
  let group = (k4 / 4u) & 15u;
  let half = group >> 3u; //          128 elements
  let quarter = (group >> 1u) & 3u; // 32 of them
  let low = wordOf(p.plane0, 32u, row, block, 16u * half + 8u * (quarter & 1u) + (k4 & 7u));
  let high = wordOf(p.plane1, 16u, row, block, 8u * half + (k4 & 7u));
  let codes = ((low >> (4u * (quarter >> 1u))) & 0x0f0f0f0fu) | (((high >> (2u * quarter)) & 0x03030303u) << 4u);
  let signed = i32(byteIn(p.plane2, 4u, row, block, group) << 24u) >> 24u;
  return (bytesOf(codes) - 32.0) * (halfOf(p.plane3, row, block) * f32(signed));
}

/// level[q] (d (s - 32)): planes are d and high bits of the scales, their low 4 bits, 128 bytes of 4 bits.
fn weight4_IQ4_XS(row: u32, k4: u32) -> vec4<f32> {
  let block = k4 / 64u;
  let group = (k4 / 8u) & 7u;
  let head = wordOf(p.plane0, 1u, row, block, 0u);
  let low = (wordOf(p.plane1, 1u, row, block, 0u) >> (4u * group)) & 15u;
  let high = (head >> (16u + 2u * group)) & 3u;
  let scale = unpack2x16float(head).x * (f32(low | (high << 4u)) - 32.0);
  let word = wordOf(p.plane2, 32u, row, block, 4u * group + (k4 & 3u));
  return iq4Levels((word >> (4u * ((k4 >> 2u) & 1u))) & 0x0f0f0f0fu) * scale;
}
