import { expect, test } from "vitest";
import type { ReportLine } from "./tuning-report.js";
import { regressions, verdictText } from "./verdict.js";

const line = (given: Partial<ReportLine>): ReportLine => ({
  ...{
    id: "x",
    role: "regression",
    title: "X",
    about: "",
    better: "higher",
    unit: "share",
    n: 100,
    before: 0,
    after: 0,
  },
  ...{ difference: 0, low: -0.01, high: 0.01, test: "mcnemar", p: 1, pHolm: 1, gained: 0, lost: 0 },
  ...{ movement: "same", items: [] },
  ...given,
});
const target = line({ role: "target", title: "Task", difference: 0.124, low: 0.103, high: 0.145, movement: "better" });
const boolq = line({ title: "BoolQ", difference: -0.03, movement: "worse" });

test.each([
  [[target, boolq, line({})], "target +12.4 points (±2.1); BoolQ −3.0 (significant); nothing else moved"],
  [[target, line({}), line({})], "target +12.4 points (±2.1); nothing else moved"],
  [[target], "target +12.4 points (±2.1); nothing else was measured"],
  [[target, boolq], "target +12.4 points (±2.1); BoolQ −3.0 (significant)"],
  [
    [{ ...target, movement: "same" as const }, line({})],
    "target +12.4 points (±2.1, not significant); nothing else moved",
  ],
  [[line({}), line({})], "nothing moved"],
  [
    [line({ title: "Text", unit: "nats", better: "lower", difference: 0.05, movement: "worse" }), line({})],
    "Text perplexity +5.1 % (significant); nothing else moved",
  ],
  [
    [
      line({
        role: "target",
        unit: "nats",
        better: "lower",
        difference: -0.421,
        low: -0.45,
        high: -0.39,
        movement: "better",
      }),
    ],
    "target loss −0.42 nats a token (±0.03); nothing else was measured",
  ],
])("one line tells it all", (lines, wanted) => {
  expect(verdictText(lines)).toBe(wanted);
});

test("the worst stands first among what moved", () => {
  const refusals = line({ title: "Safe declined", better: "lower", difference: 0.2, movement: "worse" });
  const better = line({ title: "PIQA", difference: 0.1, movement: "better" });
  expect(verdictText([better, boolq, refusals])).toBe(
    "Safe declined +20.0 (significant); BoolQ −3.0 (significant); PIQA +10.0 (significant)",
  );
});

test("a regression is a fall of more than so many points, or per cent of perplexity, of anything but the target", () => {
  const fallen = { ...target, difference: -0.5, movement: "worse" as const };
  const text = line({ title: "Text", unit: "nats", better: "lower", difference: Math.log(1.025) });
  const safe = line({ title: "Safe", better: "lower", difference: 0.021 });
  const titles = (points: number, rule?: "any" | "significant") =>
    regressions([fallen, boolq, text, safe, line({ difference: 0.9 })], points, rule).map(({ title }) => title);
  expect(titles(2)).toEqual(["BoolQ", "Text", "Safe"]);
  expect(titles(2.2)).toEqual(["BoolQ", "Text"]);
  expect(titles(2, "significant")).toEqual(["BoolQ"]);
  expect(titles(3)).toEqual([]); // exactly 3 points are not more
});
