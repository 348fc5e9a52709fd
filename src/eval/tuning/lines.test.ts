import { expect, test } from "vitest";
import { lossLine, shareLine } from "./lines.js";
import type { LineHead } from "./tuning-report.js";

const head: LineHead = { id: "x", role: "regression", title: "X", about: "", better: "higher" };
const items = (gained: number, lost: number, same: number) =>
  [...Array(gained).fill([false, true]), ...Array(lost).fill([true, false]), ...Array(same).fill([true, true])].map(
    ([before, after], i) => ({ id: `i${i}`, before: { counts: before }, after: { counts: after } }),
  );

test("a share's line has McNemar's exact p and Bonett and Price's interval", () => {
  // statsmodels 0.15.0: mcnemar([[10, 3], [12, 10]], exact=True).pvalue; the interval as in paired-stats.test.ts.
  const line = shareLine(head, items(12, 3, 185))!;
  expect(line).toMatchObject({ n: 200, gained: 12, lost: 3, before: 188 / 200, after: 197 / 200, test: "mcnemar" });
  expect(line.p).toBeCloseTo(0.03515625, 14);
  expect(line.difference).toBeCloseTo(0.045, 15);
  expect(line.low).toBeCloseTo(0.005023454270637669, 13);
  expect(line.high).toBeCloseTo(0.08408545662045144, 13);
});

test("where fewer is better, a rise is lost items", () => {
  const line = shareLine({ ...head, better: "lower" }, items(12, 3, 5))!;
  expect(line).toMatchObject({ gained: 3, lost: 12 });
  expect(line.difference).toBeCloseTo(9 / 20, 15);
  expect(line.items.map(({ change }) => change).slice(10, 14)).toEqual(["lost", "lost", "gained", "gained"]);
});

test("a loss is the mean over tokens, items with more of them count more", () => {
  const side = (nats: number, tokens: number) => ({ nats, tokens });
  const line = lossLine(head, [
    { id: "a", before: side(10, 5), after: side(5, 5) },
    { id: "b", before: side(30, 15), after: side(33, 15) },
    { id: "c", before: side(0, 0), after: side(0, 0) },
    { id: "d", before: side(4, 2), after: side(4, 2) },
  ])!;
  expect(line).toMatchObject({ unit: "nats", better: "lower", n: 3, before: 2, after: 42 / 22, gained: 1, lost: 1 });
  expect(line.difference).toBeCloseTo(-2 / 22, 15);
  expect(line.items.map(({ change }) => change)).toEqual(["gained", "lost", "same"]);
});

test("nothing to compare is no line", () => {
  expect(shareLine(head, [])).toBeNull();
  expect(lossLine(head, [{ id: "a", before: { nats: 0, tokens: 0 }, after: { nats: 0, tokens: 0 } }])).toBeNull();
});
