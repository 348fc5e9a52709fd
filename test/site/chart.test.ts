import { describe, expect, test } from "vitest";
import { PUBLISHED, PUBLISHED_MODELS } from "../../src/eval/published.js";
import { DESKTOP, PHONE, siteBrowser, TestSite } from "../helpers/site.js";

const command = siteBrowser();

describe.skipIf(command === undefined)("the benchmark chart", () => {
  const site = new TestSite(command);
  const open = (path = "en/", look: typeof DESKTOP | typeof PHONE = DESKTOP) =>
    site.open(path, { ...look, scheme: "light" });

  test("the table has every published figure, in both languages", async () => {
    for (const language of ["en", "de"]) {
      const { page, context } = await open(`${language}/`);
      await page.locator("input[name=view][value=table]").check({ force: true });
      const rows = await page
        .locator(".table-view tbody tr")
        .evaluateAll((rows) =>
          rows.map((row) => [...row.querySelectorAll("th, .number")].map((cell) => cell.textContent!)),
        );
      const expected = PUBLISHED.map(({ title, scores, otherMethod }) => [
        title,
        ...PUBLISHED_MODELS.map(({ id }) => {
          const written =
            Number.isInteger(scores[id]) || `${scores[id]}`.split(".")[1]!.length < 2
              ? scores[id].toFixed(1)
              : `${scores[id]}`;
          return (language === "de" ? written.replace(".", ",") : written) + (otherMethod.includes(id) ? "*" : "");
        }),
      ]);
      expect(rows).toEqual(expected);
      await context.close();
    }
  });

  test("a benchmark is chosen with mouse or arrow keys, and shows its figures and setting", async () => {
    const { page } = await open();
    await page.locator("[data-benchmark=siqa]").click();
    expect(await page.locator("#detail h3").textContent()).toMatch(/SIQA\s+0-shot/);
    expect(await page.locator("#detail .value").allInnerTexts()).toEqual(["51.8", "49.7", "47.0*", "50.3", "48.3"]);
    expect(await page.locator("#eval-command").textContent()).toContain("--tasks siqa");
    await page.keyboard.press("ArrowDown");
    expect(await page.locator("#detail h3").textContent()).toContain("BoolQ");
    expect(await page.locator("#chart-tip").isVisible()).toBe(true);
    await page.keyboard.press("Escape");
    expect(await page.locator("#chart-tip").isVisible()).toBe(false);
  });

  test("models can be left out, in the chart, the bars and the table", async () => {
    const { page } = await open();
    await page.locator("input[value=mistral-7b]").uncheck();
    expect(await page.locator("#detail .bars li").count()).toBe(4);
    expect(await page.locator(".row .at.mistral-7b:visible").count()).toBe(0);
    expect(await page.locator(".row .at.gemma-7b:visible").count()).toBe(17);
    for (const model of ["gemma-7b", "gemma-2b", "llama-2-13b", "llama-2-7b"])
      await page.locator(`input[value=${model}]`).uncheck();
    expect(await page.locator("#detail .none").textContent()).toBe("Choose at least one model.");
  });

  test("values show where one points, and where one taps", async () => {
    const { page, context } = await open();
    await page.locator("[data-benchmark=math]").hover();
    await expect.poll(() => page.locator("#chart-tip").textContent()).toMatch(/^MATH\s*Gemma 7B\s*24\.3/);
    await context.close();
    const phone = await open("de/", PHONE);
    await phone.page.locator("[data-benchmark=gsm8k]").tap();
    expect(await phone.page.locator("#chart-tip").textContent()).toContain("46,4");
    expect(await phone.page.locator("#detail h3").textContent()).toContain("GSM8K");
  });

  test("marks stand at their values", async () => {
    const { page } = await open();
    const track = (await page.locator("[data-benchmark=mmlu] .track").boundingBox())!;
    for (const { id } of PUBLISHED_MODELS) {
      const mark = (await page.locator(`[data-benchmark=mmlu] .at.${id} > *`).boundingBox())!;
      const percent = ((mark.x + mark.width / 2 - track.x) / track.width) * 100;
      expect(Math.abs(percent - PUBLISHED[0]!.scores[id])).toBeLessThan(0.5);
    }
  });

  test("without a script the chart, its figures and the table's page are there", async () => {
    const context = await site.context({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${site.url}en/`);
    expect(await page.locator(".row .at").count()).toBe(85);
    expect(await page.locator("#detail .value").allInnerTexts()).toEqual(["64.3", "42.3", "62.5", "54.8", "45.3"]);
  });
});
