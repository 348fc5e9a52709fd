import { describe, expect, test } from "vitest";
import { percentile, slope, tally } from "./stats.mjs";

describe("percentile", () => {
  test("is a value of the list, by nearest rank", () => {
    const values = [50, 10, 40, 20, 30];
    expect([0, 0.2, 0.21, 0.5, 0.95, 1].map((share) => percentile(values, share))).toEqual([10, 10, 20, 30, 50, 50]);
    expect(values).toEqual([50, 10, 40, 20, 30]);
  });

  test("of 1 to 1000, p95 is 950", () => {
    const values = Array.from({ length: 1000 }, (_, i) => 1000 - i);
    expect(percentile(values, 0.95)).toBe(950);
  });

  test("needs a value", () => {
    expect(() => percentile([], 0.5)).toThrow("needs a value");
  });
});

describe("slope", () => {
  test("of points on a line is exact", () => {
    const points = [0, 1, 2, 5].map((x) => ({ x, y: 3 - 2 * x }));
    expect(slope(points).rise).toBeCloseTo(-2, 12);
    expect(slope(points).error).toBeCloseTo(0, 12);
  });

  test("of points around a line lies within its own error", () => {
    const points = Array.from({ length: 400 }, (_, i) => ({
      x: i / 400,
      y: 400 + 7 * (i / 400) + 5 * Math.sin(i * 2.4),
    }));
    const { rise, error } = slope(points);
    expect(Math.abs(rise - 7)).toBeLessThan(3 * error);
    expect(error).toBeGreaterThan(0.3);
    expect(error).toBeLessThan(1);
  });

  test("needs three points that differ in x", () => {
    const point = { x: 1, y: 2 };
    expect(() => slope([point, point])).toThrow("needs 3 points, got 2");
    expect(() => slope([point, point, point])).toThrow("must differ in x");
  });
});

test("tally counts in the order of appearance", () => {
  expect([...tally(["b", "a", "b"])]).toEqual([
    ["b", 2],
    ["a", 1],
  ]);
});
