import { expect, test } from "vitest";
import { PAGE_ROWS, pageLayerBytes } from "../backend/kv.js";
import { groupWindows, kvLayout, pagesPerSequence } from "./kv-layout.js";
import { estimateMemory } from "./memory.js";
import { gemma2b, gemma3_270m } from "./variants.js";

test("page groups: full layers keep the context, sliding ones a window", () => {
  expect(groupWindows(gemma2b)).toEqual([null]);
  expect(groupWindows(gemma3_270m)).toEqual([null, 512]);
  expect(pagesPerSequence(gemma2b, 1000, 64)).toEqual([63]); // 62.5
  const [full, sliding] = pagesPerSequence(gemma3_270m, 32_768, 256);
  expect(full).toBe(32_768 / PAGE_ROWS);
  expect(sliding).toBe(49); // 511 + 256 = 767 positions: 48 pages, and one for a span that begins within a page
  expect(pagesPerSequence(gemma3_270m, 100, 256)).toEqual([7, 7]);
});

test.each([1, 16, 100])("sliding pages suffice for steps of %i rows anywhere", (stepRows) => {
  const [, pages] = pagesPerSequence(gemma3_270m, 32_768, stepRows) as [number, number];
  for (let start = 0; start < 2000; start++) {
    const firstPage = Math.floor(Math.max(0, start - 511) / PAGE_ROWS);
    const lastPage = Math.floor((start + stepRows - 1) / PAGE_ROWS);
    expect(lastPage - firstPage + 1).toBeLessThanOrEqual(pages);
  }
});

test("an estimate is the sum of its parts", () => {
  const layout = kvLayout(gemma3_270m, "bf16", [1, 1]);
  expect(layout.layerGroups.filter((group) => group === 0)).toHaveLength(3);
  expect(pageLayerBytes(layout)).toBe(2 * 16 * 1 * 256 * 2);
  const estimate = estimateMemory(gemma3_270m, {
    tensors: [{ info: { sizeBytes: 1000 } }, { info: { sizeBytes: 24 } }],
    contextLength: 4096,
    kvDtype: "bf16",
    stepRows: 256,
  });
  expect(estimate.weightsBytes).toBe(1024);
  expect(estimate.kvBytes).toBe((3 * 256 + 15 * 49) * 2 * 16 * 256 * 2);
  expect(estimate.totalBytes).toBe(estimate.weightsBytes + estimate.kvBytes + estimate.scratchBytes);
});
