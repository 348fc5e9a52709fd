import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isReached, makeRow, readRecord, spread, writeRecord } from "./record.mjs";

const folder = mkdtempSync(join(tmpdir(), "gemma-record-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a spread has the median, the lowest and the highest", () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, lowest: 1, highest: 3 });
  expect(spread([4, 1])).toEqual({ median: 2.5, lowest: 1, highest: 4 });
});

test("ratios are taken round by round, then the median; shares are of the limit", () => {
  const row = makeRow({ id: "x", label: "x", unit: "tokens/s", ours: [10, 30, 20], theirs: [5, 10, 40], limit: 40 });
  expect(row.ratio).toEqual({ median: 2, lowest: 0.5, highest: 3 });
  expect(row.share).toEqual({ median: 0.5, lowest: 0.25, highest: 0.75 });
});

test("targets look at the median of what they name, and have no verdict where that was not taken", () => {
  const row = makeRow({ id: "x", label: "x", unit: "ms", better: "lower", ours: [250], theirs: [100] });
  expect(isReached(row, { of: "ours", atMost: 250 })).toBe(true);
  expect(isReached(row, { of: "ours", atMost: 249 })).toBe(false);
  expect(isReached(row, { of: "ratio", atLeast: 2.5 })).toBe(true);
  expect(isReached(row, { of: "share", atLeast: 0.5 })).toBe(null);
});

test("a record keeps the scenarios that were not measured again, and one line a row", () => {
  const path = join(folder, "machine/peers.json");
  const machine = { cpu: "a", cores: 2, memoryBytes: 1 };
  const rows = [makeRow({ id: "x", label: "x", unit: "ms", ours: [1] })];
  const write = (name, rounds, on = machine) =>
    writeRecord(path, { bench: "peers", machine: on, scenarios: [{ name, rounds, rows }] });
  write("one", 1);
  write("two", 1);
  write("one", 5);
  const { scenarios } = readRecord(path);
  expect(scenarios.map(({ name, rounds }) => [name, rounds])).toEqual([
    ["one", 5],
    ["two", 1],
  ]);
  expect(readFileSync(path, "utf8").trim().split("\n")).toHaveLength(5);
  expect(() => write("one", 1, { ...machine, cpu: "b" })).toThrow(/on this machine/);
  writeFileSync(path, "{}");
  expect(() => readRecord(path)).toThrow(/must be a record/);
});
