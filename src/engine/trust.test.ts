import { expect, test } from "vitest";
import { Trust } from "./trust.js";

function after(judgements: readonly boolean[]): number {
  const trust = new Trust();
  for (const isRight of judgements) trust.judge(isRight);
  return trust.value;
}

test("a few wrong guesses are enough at first", () => {
  expect(after([])).toBeCloseTo(0.7);
  expect(after(Array(4).fill(false))).toBeLessThan(0.4);
  expect(after(Array(4).fill(true))).toBeGreaterThan(0.8);
});

test("later one more says little, and the share that is right is found", () => {
  const mixed = Array.from({ length: 400 }, (_, i) => i % 4 !== 0);
  expect(after(mixed)).toBeGreaterThan(0.65);
  expect(after(mixed)).toBeLessThan(0.85);
  expect(after([...mixed, false])).toBeGreaterThan(0.6);
});

test("what rests is tried again after a while", () => {
  const trust = new Trust();
  for (let i = 0; i < 30; i++) trust.judge(false);
  expect(trust.value).toBeLessThan(0.15);
  for (let i = 0; i < 100; i++) trust.rest();
  expect(trust.value).toBeLessThan(0.3);
  for (let i = 0; i < 500; i++) trust.rest();
  expect(trust.value).toBeGreaterThan(0.5);
});
