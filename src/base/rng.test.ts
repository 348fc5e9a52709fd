import { expect, test } from "vitest";
import { mix64, seededRng, uniformAt } from "./rng.js";

test("mix64 is the finaliser of SplitMix64: its published outputs for seed 0", () => {
  expect(mix64(0n)).toBe(0xe220_a839_7b1d_cdafn);
  expect(mix64(0x9e37_79b9_7f4a_7c15n)).toBe(0x6e78_9e6a_a1b9_65f4n);
});

test("uniformAt depends on seed and index alone, and fills [0, 1) evenly", () => {
  const seed = 2 ** 53 - 1;
  const draws = Array.from({ length: 4096 }, (_, index) => uniformAt(seed, index));
  expect(uniformAt(seed, 17)).toBe(draws[17]);
  expect(draws.every((u) => u >= 0 && u < 1)).toBe(true);
  const tenths = Array<number>(10).fill(0);
  for (const u of draws) tenths[Math.floor(u * 10)]! += 1;
  for (const count of tenths) expect(Math.abs(count - 409.6)).toBeLessThan(4 * Math.sqrt(4096 * 0.09));
});

test("seededRng repeats itself and has the moments it names", () => {
  const [a, b] = [seededRng(5), seededRng(5)];
  const normals = Array.from({ length: 20_000 }, () => a.normal());
  expect(normals.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => b.normal()));
  const mean = normals.reduce((sum, x) => sum + x, 0) / normals.length;
  const variance = normals.reduce((sum, x) => sum + x * x, 0) / normals.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  const integers = Array.from({ length: 1000 }, () => a.integer(7));
  expect(new Set(integers).size).toBe(7);
});
