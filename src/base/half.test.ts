import { describe, expect, it } from "vitest";
import { bf16ToF32, f32ToBf16, roundToBf16 } from "./bf16.js";
import { f16ToF32, f32ToF16 } from "./f16.js";

/** The definition of the format, in doubles. */
function decode(half: number, exponentBits: number, fractionBits: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (half & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

describe.each([
  ["f16", 5, 10, f16ToF32, f32ToF16],
  ["bf16", 8, 7, bf16ToF32, f32ToBf16],
] as const)("%s", (_, exponentBits, fractionBits, toF32, fromF32) => {
  it("all 65,536 patterns have the value that the format defines, and come back", () => {
    let wrong = 0;
    for (let half = 0; half < 65_536; half++) {
      const value = toF32(half);
      if (!Object.is(value, decode(half, exponentBits, fractionBits))) wrong++;
      if (Number.isNaN(value)) wrong += Number.isNaN(toF32(fromF32(value))) ? 0 : 1;
      else if (fromF32(value) !== half) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("rounds to the nearest pattern, ties to even", () => {
    const largest = 2 ** 15 - 2 ** fractionBits - 1; // the largest finite one
    for (let half = 0; half < largest; half++) {
      const low = toF32(half);
      const middle = (low + toF32(half + 1)) / 2; // exact in f32
      const step = middle - low;
      const even = half % 2 === 0 ? half : half + 1;
      if (fromF32(middle) !== even || fromF32(-middle) !== (even | 0x8000)) expect.fail(`tie above ${half}`);
      if (fromF32(middle - step / 4) !== half || fromF32(middle + step / 4) !== half + 1) expect.fail(`near ${half}`);
    }
    const limit = toF32(largest) + (toF32(largest) - toF32(largest - 1)) / 2;
    expect(toF32(fromF32(limit))).toBe(Number.POSITIVE_INFINITY);
    expect(fromF32(toF32(largest) + (toF32(largest) - toF32(largest - 1)) / 4)).toBe(largest);
  });
});

it("roundToBf16 gives the bf16-rounded square roots of the hidden sizes", () => {
  expect(roundToBf16(Math.sqrt(640))).toBe(25.25);
  expect(roundToBf16(Math.sqrt(3072))).toBe(55.5);
});
