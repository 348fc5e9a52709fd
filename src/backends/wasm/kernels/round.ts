import { arg } from "./jobs";
import { bf16 } from "./write-kv";

/** Item: an element. Arguments: out u16, x, 1: f16, 0: bf16. */
export function roundHalves(begin: u32, end: u32): void {
  const isF16 = arg(2) != 0;
  for (let i = begin; i < end; i++) {
    const bits = load<u32>(arg(1) + 4 * i);
    store<u16>(arg(0) + 2 * i, isF16 ? f16(bits) : bf16(bits));
  }
}

/** Rounds half to even; beyond the largest f16 to infinity. */
function f16(bits: u32): u16 {
  const sign = (bits >> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return <u16>(sign | 0x7e00);
  if (size >= 0x477ff000) return <u16>(sign | 0x7c00);
  if (size < 0x38800000) {
    // Subnormal: at 0.5 a float's last bit is the smallest f16, and the addition rounds.
    const sum = reinterpret<u32>(reinterpret<f32>(size) + <f32>0.5);
    return <u16>(sign | (sum - 0x3f000000));
  }
  const rounded = size + 0xfff + ((size >> 13) & 1);
  return <u16>(sign | ((rounded - 0x38000000) >> 13));
}
