import { expect, test } from "vitest";
import { reportHtml } from "./html.mjs";
import { makeRow } from "./record.mjs";

const once = { median: 1, lowest: 1, highest: 1 };
const scenario = {
  name: "one",
  title: "one <two> & three",
  ours: "gemma.ts",
  peer: "llama.cpp",
  date: "2026-01-02T03:04:05.000Z",
  commit: "abc",
  node: "v20",
  args: ["--scenario", "one"],
  load: once,
  rounds: 3,
  limits: null,
};
const html = (row) =>
  reportHtml([
    {
      bench: "peers",
      machine: { cpu: "a CPU", cores: 2, memoryBytes: 8e9 },
      scenarios: [{ ...scenario, rows: [makeRow({ id: "x", label: "speed", unit: "tokens/s", ...row })] }],
    },
  ]);

test("bars are as long as the values are beside the greatest of them and the limit", () => {
  const widths = html({ ours: [50, 50, 50], theirs: [25, 25, 25], limit: 100 }).matchAll(
    /fill" style="width:([\d.]+)%/g,
  );
  const [ours, theirs] = [...widths].map(([, width]) => Number(width));
  expect(ours / theirs).toBeCloseTo(2, 2);
  expect(ours).toBeCloseTo(50 / 1.02, 2);
});

test("ratios, shares and targets are said in words, and texts are escaped", () => {
  const text = html({
    ours: [50, 40, 60],
    theirs: [25, 25, 25],
    limit: 100,
    targets: [
      { of: "ratio", atLeast: 1.8 },
      { of: "share", atLeast: 0.85 },
    ],
  });
  for (const part of ["<b>2.00 ×</b>", "50 % of 100", "✓ ≥ 1.8 ×", "✗ ≥ 85 % of the limit"]) {
    expect(text).toContain(part);
  }
  expect(text).toContain("one &#60;two&#62; &#38; three");
  expect(text).toContain("npm run bench:peers -- --scenario one");
  expect(text).not.toContain("<script");
});
