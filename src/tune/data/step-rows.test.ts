import { expect, test } from "vitest";
import { stepRows } from "./step-rows.js";

const sequence = (ids: readonly number[], isTarget: readonly number[]) => ({
  ids: Int32Array.from(ids),
  isTarget: Uint8Array.from(isTarget),
  targets: isTarget.reduce((sum, one) => sum + one, 0),
});

test("rows end to end; the row before each target predicts it", () => {
  const rows = stepRows([
    sequence([2, 10, 11, 12, 13], [0, 0, 1, 0, 1]),
    sequence([2, 20], [0, 1]),
    sequence([2, 30, 31], [0, 1, 1]),
  ]);
  expect(Object.fromEntries(Object.entries(rows).map(([name, values]) => [name, Array.from(values)]))).toEqual({
    ids: [2, 10, 11, 12, 2, 2, 30],
    positions: [0, 1, 2, 3, 0, 0, 1],
    starts: [0, 4, 5, 7],
    targetRows: [1, 3, 4, 5, 6],
    targetIds: [11, 13, 20, 30, 31],
    targetStarts: [0, 2, 3, 5],
  });
});

test("no sequences, no rows", () => {
  expect(stepRows([]).starts).toEqual(Int32Array.of(0));
});
