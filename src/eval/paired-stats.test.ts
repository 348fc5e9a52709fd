import { expect, test } from "vitest";
import { holm, pairedRatioInterval, pairedShareInterval, signFlipTest } from "./paired-stats.js";

// Reference values: scipy 1.17.1, statsmodels 0.15.0, numpy 2.4.6, Python 3.11.

test("holm is statsmodels' multipletests(method='holm')", () => {
  for (const [given, wanted] of [
    [
      [0.01, 0.04, 0.03, 0.005],
      [0.03, 0.06, 0.06, 0.02],
    ],
    [
      [0.5, 0.9, 0.0001, 0.02, 0.02],
      [1, 1, 0.0005, 0.08, 0.08],
    ],
    [
      [0.04, 0.04, 0.04],
      [0.12, 0.12, 0.12],
    ],
    [[1], [1]],
    [[], []],
  ] as const) {
    const adjusted = holm(given);
    expect(adjusted).toHaveLength(wanted.length);
    for (const [i, p] of wanted.entries()) expect(adjusted[i]).toBeCloseTo(p, 14);
  }
});

test("signFlipTest is scipy's permutation_test(permutation_type='samples') of the mean", () => {
  // All 2^8 choices.
  expect(signFlipTest([0.3, -0.1, 0.25, 0.4, 0.05, -0.02, 0.6, 0.15])).toBe(0.046875);
  // scipy with 2,000,000 draws: 0.60858, the t-test 0.60877. 9,999 draws have a standard error of 0.005.
  const differences = [
    ...[-0.201, -0.41, 0.021, 0.288, 0.574, 0.164, -0.101, -0.194, 0.419, 0.774, 0.229, -0.373, -0.263, 0.76, 0.201],
    ...[
      -0.573, 0.087, -0.345, -0.132, -0.075, -0.165, 0.341, 0.095, -0.116, 0.284, 0.452, -0.537, 0.017, -0.272, 0.051,
    ],
  ];
  expect(Math.abs(signFlipTest(differences) - 0.60858)).toBeLessThan(0.015);
  expect(signFlipTest(differences, 3)).toBe(signFlipTest(differences, 3));
  expect(signFlipTest(differences.map((one) => one + 5))).toBe(1 / 10_000);
});

test("signFlipTest finds nothing where nothing changed", () => {
  expect(signFlipTest([])).toBe(1);
  expect(signFlipTest([0, 0, 0])).toBe(1);
  expect(signFlipTest(Array(40).fill(0))).toBe(1);
});

test("pairedShareInterval is Bonett and Price's, computed with numpy", () => {
  for (const [n, gained, lost, low, high] of [
    [200, 12, 3, 0.005023454270637669, 0.08408545662045144],
    [200, 0, 0, -0.013721820043066118, 0.013721820043066118],
    [20, 0, 6, -0.4974660882626065, -0.047988457191938894],
    [500, 40, 61, -0.0812877554871011, -0.002377583158317244],
    [10, 10, 0, 0.5205795584958712, 1],
  ] as const) {
    const interval = pairedShareInterval(n, gained, lost);
    expect(interval.low).toBeCloseTo(low, 13);
    expect(interval.high).toBeCloseTo(high, 13);
  }
  expect(() => pairedShareInterval(0, 0, 0)).toThrow(/one or more items, got 0/);
  expect(() => pairedShareInterval(3, 2, 2)).toThrow(/changes must be some/);
});

test("pairedRatioInterval is scipy's paired percentile bootstrap of a ratio of sums", () => {
  const before = [
    ...[45.4, 10.1, 35.2, 31.8, 20.2, 26.2, 50.3, 25.8, 17.5, 44.9, 32.4, 49.9, 21.8],
    ...[26.0, 50.0, 35.4, 35.3, 21.8, 10.7, 56.7, 14.3, 52.2, 28.4, 57.6, 30.0],
  ];
  const after = [
    ...[41.6, 7.6, 33.5, 26.9, 15.4, 26.9, 44.7, 30.2, 18.9, 48.8, 18.7, 47.9, 23.7],
    ...[28.3, 40.5, 36.6, 37.7, 13.7, 14.0, 56.0, 12.5, 50.7, 23.6, 45.6, 28.7],
  ];
  const tokens = [10, 28, 11, 18, 21, 11, 12, 23, 9, 21, 28, 22, 21, 16, 29, 10, 13, 21, 21, 7, 9, 22, 26, 20, 28];
  const differences = after.map((value, i) => value - before[i]!);
  // stats.bootstrap(paired=True, method="percentile", n_resamples=200_000)
  const { low, high } = pairedRatioInterval(differences, tokens, { resamples: 20_000 });
  expect(Math.abs(low + 0.22181)).toBeLessThan(0.004);
  expect(Math.abs(high + 0.02895)).toBeLessThan(0.004);
  expect(() => pairedRatioInterval([], [])).toThrow(/weight each/);
});
