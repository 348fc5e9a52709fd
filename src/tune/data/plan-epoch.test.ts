import { expect, test } from "vitest";
import fc from "../../../test/fast-check.js";
import { seededRng } from "../../base/rng.js";
import { type EpochOptions, planEpoch } from "./plan-epoch.js";

const rng = seededRng(1);
const lengths = Array.from({ length: 3000 }, () => 1 + rng.integer(200));
const packing: EpochOptions = { step: { tokens: 512 }, seed: 7 };
const tokensOf = (step: readonly number[], of: ArrayLike<number>) => step.reduce((sum, i) => sum + of[i]!, 0);

test("every example once an epoch, no step above its tokens, the same each time", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 60 }),
      fc.integer({ min: 64, max: 200 }),
      fc.integer({ min: 1, max: 80 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(9),
      (of, tokens, window, accumulate, epoch) => {
        const options = { step: { tokens, window }, accumulate, seed: 3 };
        const updates = planEpoch(of, epoch, options);
        const steps = updates.flat();
        expect(steps.flat().sort((a, b) => a - b)).toEqual(of.map((_, i) => i));
        for (const step of steps) expect(tokensOf(step, of)).toBeLessThanOrEqual(tokens);
        expect(updates.slice(0, -1).every(({ length }) => length === accumulate)).toBe(true);
        expect(updates.every(({ length }) => length >= 1 && length <= accumulate)).toBe(true);
        expect(planEpoch(of, epoch, options)).toEqual(updates);
      },
    ),
    { seed: 8, numRuns: 200 },
  );
});

test("steps are nearly full, in another order each epoch and for each seed", () => {
  const steps = planEpoch(lengths, 0, packing).flat();
  const total = lengths.reduce((sum, length) => sum + length, 0);
  expect(total / (steps.length * 512)).toBeGreaterThan(0.97);
  const orders = [
    steps,
    planEpoch(lengths, 1, packing).flat(),
    planEpoch(lengths, 0, { ...packing, seed: 8 }).flat(),
    planEpoch(lengths, 0, { step: { tokens: 512, window: 64 }, seed: 7 }).flat(),
  ].map((order) => order.join("|"));
  expect(new Set(orders).size).toBe(4);
});

test("long examples do not come first", () => {
  const means = planEpoch(lengths, 0, packing)
    .flat()
    .map((step) => tokensOf(step, lengths) / step.length);
  const average = (part: readonly number[]) => part.reduce((sum, one) => sum + one, 0) / part.length;
  const half = means.length >> 1;
  expect(average(means.slice(0, half)) / average(means.slice(half))).toBeCloseTo(1, 0.5);
});

test("steps of so many examples", () => {
  const updates = planEpoch(new Array(10).fill(1e9), 2, { step: { examples: 3 }, accumulate: 2, seed: 0 });
  expect(updates.map((steps) => steps.map(({ length }) => length))).toEqual([
    [3, 3],
    [3, 1],
  ]);
  expect(
    updates
      .flat(2)
      .sort((a, b) => a - b)
      .join(""),
  ).toBe("0123456789");
  expect(planEpoch([], 0, packing)).toEqual([]);
});

test("what cannot be planned is refused", () => {
  const refused = expect.objectContaining({ code: "ERR_RANGE" });
  expect(() => planEpoch([513], 0, packing)).toThrow(
    expect.objectContaining({
      message: "step: must hold the longest example of 513 tokens, got room for 512",
      hint: expect.stringContaining("--batch-tokens"),
    }),
  );
  for (const options of [
    { ...packing, seed: -1 },
    { ...packing, accumulate: 0 },
    { ...packing, step: { tokens: 0 } },
    { ...packing, step: { tokens: 512, window: 0.5 } },
    { ...packing, step: { examples: Number.NaN } },
  ])
    expect(() => planEpoch([1], 0, options)).toThrow(refused);
  expect(() => planEpoch([1], 0.5, packing)).toThrow(refused);
});
