import { expect, test } from "vitest";
import { Sink } from "../../test/helpers/sink.js";
import { createProgress, formatBytes, formatSeconds } from "./progress.js";

test("progress: a terminal gets one redrawn line within its width, at most ten times a second", () => {
  const stream = new Sink(true, 80);
  let timeMs = 0;
  const progress = createProgress(stream, () => timeMs);
  const event = { totalBytes: 2_000_000, bytesPerSecond: 500_000, remainingSeconds: 3 };
  progress.update("download a.gguf", { ...event, doneBytes: 500_000 });
  timeMs = 50;
  progress.update("download a.gguf", { ...event, doneBytes: 600_000 });
  expect(stream.text).toBe("\rdownload a.gguf [######------------------] 25% of 2.0 MB 500 kB/s 3 s left\u001b[K");
  for (let repeat = 0; repeat < 2; repeat += 1) progress.update("download a.gguf", { ...event, doneBytes: 2_000_000 });
  progress.end();
  expect(stream.text.split("\r").slice(2)).toEqual([
    "download a.gguf [########################] 100% of 2.0 MB 500 kB/s\u001b[K\n",
  ]);
});

test.each([80, 60, 20, 0])("progress: a long name is shortened in %d columns, the numbers stay", (columns) => {
  const stream = new Sink(true, columns);
  createProgress(stream).update(`download ${"long-name-".repeat(10)} (1 of 4)`, { doneBytes: 1, totalBytes: 4 });
  const shown = stream.text.replace("\r", "").replace("\u001b[K", "");
  expect(shown.length).toBeLessThan(columns || 80);
  if (columns === 80 || columns === 0) expect(shown).toMatch(/^download long.*….* \(1 of 4\) \[######-+\] 25% of 4 B$/);
});

test("progress: a log gets a line for a new label, every ten seconds, and at the end", () => {
  const stream = new Sink(false);
  let timeMs = 0;
  const progress = createProgress(stream, () => timeMs);
  for (; timeMs <= 25_000; timeMs += 1000) {
    progress.update("download a", {
      doneBytes: timeMs * 1000,
      totalBytes: 100_000_000,
      bytesPerSecond: 1e6,
      remainingSeconds: 90,
    });
  }
  progress.update("verify a", { doneBytes: 0 });
  progress.update("verify a", { doneBytes: 100_000_000, totalBytes: 100_000_000 });
  progress.end();
  expect(stream.text.split("\n")).toEqual([
    "download a 0% of 100 MB 1.0 MB/s 1 min 30 s left",
    "download a 10% of 100 MB 1.0 MB/s 1 min 30 s left",
    "download a 20% of 100 MB 1.0 MB/s 1 min 30 s left",
    "verify a",
    "verify a 100% of 100 MB",
    "",
  ]);
});

test("units", () => {
  expect([0, 999, 1000, 249_000_000, 99_950, 1e15].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "249 MB",
    "100 kB",
    "1000 TB",
  ]);
  expect([0.2, 59, 60, 3599, 3600, 7325].map(formatSeconds)).toEqual([
    "1 s",
    "59 s",
    "1 min 0 s",
    "59 min 59 s",
    "1 h 0 min",
    "2 h 2 min",
  ]);
});
