import axe from "axe-core";
import { describe, expect, test } from "vitest";
import { DESKTOP, type Look, PHONE, siteBrowser, TestSite } from "../helpers/site.js";

const command = siteBrowser();

const PAGES = ["en/", "de/", "en/playground/", "de/playground/"];
const LOOKS: readonly Look[] = [
  { ...DESKTOP, scheme: "light" },
  { ...DESKTOP, scheme: "dark" },
  { ...PHONE, scheme: "light" },
  { ...PHONE, scheme: "dark" },
];
const CASES = PAGES.flatMap((path) => LOOKS.map((look) => ({ path, look, name: `${look.width} ${look.scheme}` })));

interface AxeResult {
  readonly violations: readonly {
    id: string;
    impact: string | null;
    nodes: { target: string[]; failureSummary: string }[];
  }[];
}

describe.skipIf(command === undefined)("the site", () => {
  const site = new TestSite(command);

  test.each(CASES)("$path at $name: accessible, quiet, whole", async ({ path, look }) => {
    const { page, complaints } = await site.open(path, look);
    await page.waitForLoadState("networkidle");
    // The content security policy holds for scripts of the page; a test's come in from outside.
    const { violations } = await page.evaluate<AxeResult>(`${axe.source}; axe.run()`);
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    expect(
      serious.map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) => [target, failureSummary])]),
    ).toEqual([]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
  });

  test.each(PAGES)("%s: painted soon, nothing moves, nothing from elsewhere", async (path) => {
    const { page } = await site.open(path, { ...PHONE, scheme: "light" });
    await page.waitForLoadState("networkidle");
    const measured = await page.evaluate(
      () =>
        new Promise<{ paintMs: number; shift: number; hosts: string[] }>((done) => {
          let shift = 0;
          let paintMs = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) paintMs = entry.startTime;
          }).observe({ type: "largest-contentful-paint", buffered: true });
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries() as unknown as { value: number }[]) shift += entry.value;
          }).observe({ type: "layout-shift", buffered: true });
          const hosts = performance.getEntriesByType("resource").map(({ name }) => new URL(name).host);
          setTimeout(() => done({ paintMs, shift, hosts: [...new Set(hosts)] }), 300);
        }),
    );
    expect(measured.shift).toBeLessThan(0.05);
    expect(measured.paintMs).toBeGreaterThan(0);
    expect(measured.paintMs).toBeLessThan(2500);
    expect(measured.hosts).toEqual([new URL(site.url).host]);
  });

  test.each(PAGES)("%s: says what it is, and where it is in the other language", async (path) => {
    const { page } = await site.open(path, { ...DESKTOP, scheme: "light" });
    const language = path.slice(0, 2);
    expect(await page.getAttribute("html", "lang")).toBe(language);
    expect((await page.title()).length).toBeGreaterThan(20);
    expect((await page.getAttribute("meta[name=description]", "content"))!.length).toBeGreaterThan(60);
    expect(await page.locator("h1").count()).toBe(1);
    for (const other of ["en", "de"]) {
      const link = page.locator(`link[rel=alternate][hreflang=${other}]`);
      const href = await link.evaluate((element) => (element as HTMLLinkElement).href);
      expect(href).toBe(site.url + path.replace(/^../, other));
    }
    await page.click("#other-language");
    await page.waitForURL(site.url + path.replace(/^../, language === "en" ? "de" : "en"));
  });

  test("the front door leads to the reader's language, and the colours chosen stay", async () => {
    const context = await site.context({ locale: "de-AT", colorScheme: "light" });
    const page = await context.newPage();
    await page.goto(site.url);
    await page.waitForURL(`${site.url}de/`);
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await page.click("#theme"); // light
    await page.click("#theme"); // dark
    const dark = await paper();
    expect(dark).not.toBe(light);
    await page.goto(`${site.url}de/playground/`);
    expect(await paper()).toBe(dark);
  });

  test("the other language opens at the section that is being read", async () => {
    const { page } = await site.open("en/#tuning", { ...DESKTOP, scheme: "light" });
    await page.waitForFunction(() =>
      document.querySelector("#other-language")!.getAttribute("href")!.endsWith("#tuning"),
    );
  });
});
