import { expect, test } from "vitest";
import { makeRow } from "./record.mjs";
import { compareRecords, compareRows } from "./regression.mjs";

const speed = (ours, theirs = null, more = {}) => makeRow({ id: "x", label: "x", unit: "u", ours, theirs, ...more });
const verdict = (before, after) => compareRows(before, after).verdict;

test("a row has lost when each median is outside the other's rounds, and 3 % apart", () => {
  const before = speed([100, 98, 102]);
  expect(verdict(before, speed([90, 91, 92]))).toBe("LOST");
  expect(verdict(before, speed([90, 91, 101]))).toBe("same"); // a round as fast as before
  expect(verdict(speed([100, 80, 102]), speed([90, 91, 92]))).toBe("same"); // one as slow had been seen
  expect(verdict(speed([100, 99.9, 100.1]), speed([98, 98, 98]))).toBe("same"); // 2 %
  expect(verdict(before, speed([110, 120, 130]))).toBe("gained");
  expect(verdict(before, undefined)).toBe("GONE");
});

test("where lower is better a higher value is the loss", () => {
  const row = (ours) => speed(ours, null, { better: "lower" });
  expect(verdict(row([10, 11, 12]), row([14, 15, 16]))).toBe("LOST");
  expect(verdict(row([14, 15, 16]), row([10, 11, 12]))).toBe("gained");
});

test("ratios count before shares, and shares before values", () => {
  // Half as fast on a machine that is half as fast: nothing was lost.
  expect(verdict(speed([100, 98, 102], [50, 49, 51]), speed([50, 49, 51], [25, 24.5, 25.5]))).toBe("same");
  expect(compareRows(speed([1], null, { limit: 2 }), speed([1], null, { limit: 4 }))).toMatchObject({
    measure: "share",
    change: -0.5,
  });
});

test("records are compared where they are of one benchmark and machine and have rounds enough", () => {
  const record = (cpu, rounds, name = "one") => ({
    bench: "peers",
    machine: { cpu, cores: 2 },
    scenarios: [{ name, rounds, rows: [speed([1, 1, 1]), speed([1, 1, 1], [1, 1, 1], { peer: "our plain run" })] }],
  });
  expect(compareRecords(record("a", 3), record("a", 3))).toHaveLength(1); // what is beside ourselves is not compared
  expect(() => compareRecords(record("a", 3), record("b", 3))).toThrow(/one benchmark and machine, got peers on a/);
  expect(() => compareRecords(record("a", 3), record("a", 1))).toThrow("one: must have 3 rounds at least, got 1");
  expect(() => compareRecords(record("a", 3), record("a", 3, "two"))).toThrow(/no scenario in common/);
});
