import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tuningPage } from "../../src/eval/report/tuning-page.js";
import type { TuningReport } from "../../src/eval/tuning/tuning-report.js";
import { findChromium, Tab } from "../helpers/chromium.js";
import { makeReport } from "../helpers/tuning-reports.js";

const command = findChromium();
const DESK = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 780, touch: true };

test("what models and data say is text", async () => {
  const page = await tuningPage(await makeReport());
  expect(page).not.toContain("<img");
  expect(page.match(/<script/g)).toBeNull();
  expect(page).toContain("script-src &#39;none&#39;");
  expect(page).toContain("&#60;img src=x");
});

test("it holds so many items, and says how many there are", async () => {
  const report = await makeReport();
  const page = await tuningPage(report, { maxItems: 7 });
  expect(page).toContain("2 more (of 120; report.json has all)");
  expect(page).toContain("36 gained, 2 lost of 60; 7 of them here, all in report.json");
  expect(await tuningPage(report, { maxItems: 0 })).not.toContain("Answers side by side");
});

test("it says where it was measured", async () => {
  const report = await makeReport();
  expect(await tuningPage(report)).toContain("Some CPU, linux-x64, Node 20.20.2, 2 threads");
  const alone = { ...report, made: { ...report.made, machine: { ...report.made.machine!, threads: 1 } } };
  expect(await tuningPage(alone)).toContain("Node 20.20.2, 1 thread<");
});

test("a report without a run, answers or losses leaves those parts out", async () => {
  const whole = await makeReport({ run: null });
  const lines = whole.lines.filter(({ unit }) => unit === "share");
  const page = await tuningPage({ ...whole, lines, answers: [] });
  for (const part of ["The tuning run", "Answers side by side", "per cent of perplexity</", "Loss by step"]) {
    expect(page).not.toContain(part);
  }
  expect(await tuningPage({ ...whole, lines: [], answers: [] })).toContain("0 lines");
});

describe.skipIf(command === undefined)("in a browser", () => {
  const folder = mkdtempSync(join(tmpdir(), "gemma-tuning-page-"));
  const url = pathToFileURL(join(folder, "report.html")).href;
  let tab: Tab;
  let report: TuningReport;

  beforeAll(async () => {
    report = await makeReport();
    writeFileSync(join(folder, "report.html"), await tuningPage(report));
    tab = await Tab.open(command!);
  }, 60_000);
  afterAll(async () => {
    await tab?.close();
    rmSync(folder, { recursive: true });
  });

  const all = <T>(selector: string, map: string) =>
    tab.evaluate<T[]>(`[...document.querySelectorAll(${JSON.stringify(selector)})].map((e) => ${map})`);

  test("asks for nothing but itself, nothing fails, and nothing ran", async () => {
    await tab.show(url, DESK);
    expect(tab.requests).toEqual([url]);
    expect(tab.complaints).toEqual([]);
    expect(await tab.evaluate("document.title")).toContain("What tuning did · first </script><img");
    expect(await tab.evaluate("document.querySelector('.verdict').innerText")).toBe(report.verdict);
  });

  test("the page fits every screen, open and closed", async () => {
    for (const screen of [DESK, PHONE, { ...PHONE, dark: true }]) {
      await tab.show(url, screen);
      await tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
      const { scrollWidth, clientWidth } = await tab.evaluate<{ scrollWidth: number; clientWidth: number }>(
        "(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }))(document.documentElement)",
      );
      expect(scrollWidth).toBe(clientWidth);
    }
  });

  test("a dot lies between the ends of its interval, on its side of zero, and says its figures", async () => {
    for (const screen of [DESK, PHONE]) {
      await tab.show(url, screen);
      const middle = "((r) => r.left + r.width / 2)";
      const rows = await all<{ dot: number; ends: number[]; zero: number; label: string }>(
        ".forest li",
        `({ dot: ${middle}(e.querySelector("circle").getBoundingClientRect()),
           ends: [...e.querySelectorAll(".whisker")].slice(1).map((w) => ${middle}(w.getBoundingClientRect())),
           zero: ${middle}(e.querySelector(".zero").getBoundingClientRect()),
           label: e.querySelector("svg").getAttribute("aria-label") })`,
      );
      expect(rows).toHaveLength(report.lines.length);
      for (const { dot, ends, zero, label } of rows) {
        expect(dot).toBeGreaterThanOrEqual(Math.min(...ends) - 1);
        expect(dot).toBeLessThanOrEqual(Math.max(...ends) + 1);
        if (/: [\d.]+ (%|better)/.test(label) && label.includes("better,")) expect(dot).toBeGreaterThan(zero);
      }
      expect(rows.map(({ label }) => label)).toContainEqual(
        expect.stringMatching(/^Held-out task: 56\.7 better, in points; 95 % interval from .* better; significant$/),
      );
    }
  });

  test("text is readable in the light and the dark", async () => {
    for (const dark of [false, true]) {
      await tab.show(url, { ...DESK, dark });
      const [paper, ink] = await tab.evaluate<[string, string]>(
        "((s) => [s.backgroundColor, s.color])(getComputedStyle(document.body))",
      );
      expect(contrast(paper, ink)).toBeGreaterThan(7);
      for (const colour of await all<string>(".forest .much, .small, .lines td", "getComputedStyle(e).color")) {
        expect(contrast(paper, colour)).toBeGreaterThan(4.5);
      }
    }
  });
});

/** Of two `rgb(r, g, b)`, by WCAG. */
function contrast(one: string, other: string): number {
  const [a, b] = [one, other].map((colour) => {
    const [r, g, blue] = (colour.match(/\d+/g) ?? []).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * blue!;
  });
  return (Math.max(a!, b!) + 0.05) / (Math.min(a!, b!) + 0.05);
}
