import { expect, test } from "vitest";
import fc from "../../../test/fast-check.js";
import { learningRateAt, type Schedule } from "./learning-rate.js";

const schedules = fc.record({
  learningRate: fc.double({ min: 1e-6, max: 1, noNaN: true }),
  minShare: fc.double({ min: 0, max: 1, noNaN: true }),
  schedule: fc.constantFrom("cosine" as const, "linear" as const, "constant" as const),
  warmupSteps: fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined }),
  warmupShare: fc.double({ min: 0, max: 0.99, noNaN: true }),
  steps: fc.integer({ min: 1, max: 200 }),
});

test("rises to its highest, then never again, and stays between its bounds", () => {
  fc.assert(
    fc.property(schedules, ({ minShare, steps, ...rest }) => {
      const schedule: Schedule = { ...rest, minLearningRate: minShare * rest.learningRate };
      const rates = Array.from({ length: steps }, (_, i) => learningRateAt(schedule, i + 1, steps));
      const peak = rates.indexOf(Math.max(...rates));
      expect(rates[peak]).toBeCloseTo(schedule.learningRate, 12);
      for (const [i, rate] of rates.entries()) {
        expect(rate).toBeGreaterThan(0);
        expect(rate).toBeLessThanOrEqual(schedule.learningRate);
        if (i > 0 && i <= peak) expect(rate).toBeGreaterThan(rates[i - 1]!);
        if (i > peak) expect(rate).toBeLessThanOrEqual(rates[i - 1]!);
        if (i >= peak) expect(rate).toBeGreaterThanOrEqual(schedule.minLearningRate * (1 - 1e-12));
      }
    }),
    { seed: 11 },
  );
});

test.each([
  ["cosine", [0.5, 1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2]],
  ["linear", [0.5, 1, 0.75, 0.5, 0.25]],
  ["constant", [0.5, 1, 1, 1, 1]],
] as const)("%s behind one step of warm-up", (schedule, expected) => {
  const rates = [1, 2, 3, 4, 5].map((step) =>
    learningRateAt({ learningRate: 1, minLearningRate: 0, schedule, warmupSteps: 1 }, step, 5),
  );
  for (const [i, rate] of rates.entries()) expect(rate).toBeCloseTo(expected[i]!, 12);
});
