import { expect, test } from "vitest";
import { LengthTally, lengthText } from "./lengths.js";

const kept = (length: number, targets: number) => ({ ids: new Int32Array(length), targets });

test("counts, percentiles and the longest", () => {
  const tally = new LengthTally(100);
  for (let length = 1; length <= 100; length++) tally.add(`x:${length}`, [length], [kept(length, 1)]);
  tally.add("x:101", [230, 20], [kept(100, 40), kept(20, 5)]);
  tally.add("x:102", [90, 180], []);
  const report = tally.report();
  expect(report).toEqual({
    ...{ examples: 102, sequences: 104, tokens: 5050 + 120, targets: 145, maxLength: 100 },
    ...{ truncated: 1, dropped: 1, droppedAt: ["x:102"], longest: { at: "x:101", tokens: 230 } },
    percentiles: { 50: 51, 90: 92, 95: 97, 99: 180 },
    buckets: [21, 20, 20, 20, 21, 0, 0, 0, 1, 0, 0, 1].map((sequences, i) => ({ upTo: 20 * (i + 1), sequences })),
  });
  expect(report.buckets.reduce((sum, { sequences }) => sum + sequences, 0)).toBe(104);
});

test("the report as text", () => {
  const tally = new LengthTally(8);
  for (const [i, length] of [3, 3, 3, 3, 7, 12, 30].entries()) {
    tally.add(`x:${i}`, [length], length > 20 ? [] : [kept(Math.min(length, 8), 2)]);
  }
  expect(lengthText(tally.report()).split("\n")).toEqual([
    "7 examples, 27 tokens, 12 of them learned (44.4 %)",
    "length  p50 3  p90 30  p95 30  p99 30  longest 30 (x:6)",
    `  <=  5 ${"█".repeat(40)} 4`,
    `  <= 10 ${"█".repeat(10)} 1`,
    `  <= 15 ${"█".repeat(10)} 1`,
    "  <= 20 0",
    "  <= 25 0",
    `  <= 30 ${"█".repeat(10)} 1`,
    "1 is longer than 8 tokens and loses its end",
    "1 is dropped: its first 8 tokens have nothing to learn (x:6)",
  ]);
});

test("one example, and many that are cut or dropped", () => {
  const one = new LengthTally(8);
  one.add("x:1", [3], [kept(3, 1)]);
  expect(lengthText(one.report())).toMatch(/^1 example, 3 tokens/);
  const many = new LengthTally(8);
  for (let i = 0; i < 2000; i++) many.add(`x:${i}`, [9], i < 1000 ? [kept(8, 2)] : []);
  const text = lengthText(many.report());
  expect(text).toContain("1,000 are longer than 8 tokens and lose their end\n1,000 are dropped: their first 8 tokens");
});

test("no examples", () => {
  const report = new LengthTally(8).report();
  expect(report).toMatchObject({ examples: 0, buckets: [], longest: undefined, percentiles: { 50: 0, 99: 0 } });
  expect(lengthText(report)).toContain("0 examples, 0 tokens");
});
