import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Locator, Page } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { DESKTOP, PHONE, siteBrowser, TestSite } from "../helpers/site.js";

// A real model in the page, from the first visit on: the one of 4 MB that ships with the package.

const MODEL = "gemma-tiny-ts";
const file = fileURLToPath(new URL(`../../models/${MODEL}/${MODEL}.gguf`, import.meta.url));
const command = siteBrowser();
const PATH = "en/playground/";

async function load(page: Page, backend = "wasm"): Promise<string> {
  await page.locator(`input[value="${MODEL}"]`).check();
  await page.locator("#load").waitFor();
  await page.locator("#backend").selectOption(backend);
  await page.click("#load");
  await page.locator(".loaded").waitFor({ state: "attached" }); // on a phone its panel folds
  await page.locator("[name=seed]").evaluate((input) => {
    (input as HTMLInputElement).value = "6"; // of "Tell me a fairy tale." it makes one of 315 tokens
  });
  return textOf(page.locator(".loaded"));
}

async function ask(page: Page, text: string): Promise<void> {
  await page.fill("#message", text);
  await page.click("#send");
}

const textOf = async (place: Locator) => (await place.textContent()) ?? "";
const answerOf = (page: Page) => textOf(page.locator(".turn.assistant .text").last());

/** Waits until the last answer has begun: some end after three words. */
const writes = (page: Page, timeout = 20_000) => expect.poll(() => answerOf(page), { timeout }).not.toBe("");

/** Stops an answer as soon as it has 20 letters. In the page: a whole tale takes a second. */
async function stopEarly(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const text = [...document.querySelectorAll(".turn.assistant .text")].at(-1)?.textContent ?? "";
    const stop = document.querySelector<HTMLButtonElement>("#stop")!;
    if (text.length < 20 || stop.hidden) return false;
    stop.click();
    return true;
  });
}

describe.skipIf(command === undefined).each([
  { name: "desktop", look: { ...DESKTOP, scheme: "light" as const } },
  { name: "phone", look: { ...PHONE, scheme: "dark" as const } },
])("a model in the page, $name", ({ look }) => {
  const site = new TestSite(command, ["--disable-features=StaticStorageQuota"]);

  test("is loaded, answers, stops, and is there again without the network", async () => {
    const { page, context, complaints } = await site.open(PATH, look);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await load(page);
    await ask(page, "Tell me a fairy tale.");
    await stopEarly(page);
    await page.getByText("Stopped.", { exact: true }).first().waitFor();
    const stopped = await answerOf(page);
    expect(stopped.length).toBeGreaterThan(20);
    expect(complaints).toEqual([]);

    await context.setOffline(true);
    await page.reload();
    expect(await load(page)).toContain(MODEL);
    await ask(page, "Another one.");
    await writes(page);
  });

  test("a truncated file is told, and a whole one loads behind it", async () => {
    const { page } = await site.open(PATH, look);
    const folder = mkdtempSync(join(tmpdir(), "gemma-site-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const cut = join(folder, "cut.gguf");
    writeFileSync(cut, readFileSync(file).subarray(0, 2_000_000));
    await page.locator('input[value=":file"]').check();
    await page.setInputFiles("#choice input[type=file]", cut);
    await page.click("#load");
    const told = page.locator("#choice .failure");
    await told.waitFor();
    expect(await textOf(told)).toMatch(/cut\.gguf[\s\S]*ERR_TRUNCATED/);
    await page.locator('input[value=":server"]').check();
    await load(page);
  });

  test("without room in the site's storage the numbers are told", async () => {
    const { page, context } = await site.open(PATH, look);
    const session = await context.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: site.url.slice(0, -1), quotaSize: 100_000 });
    await page.locator(`input[value="${MODEL}"]`).check();
    await page.locator("#load").waitFor();
    expect(await textOf(page.locator("#choice"))).toMatch(/needs 3\.9 MB of this site's storage, 0\.1 MB are left/);
    await page.click("#load");
    const told = page.locator("#choice .failure");
    await told.waitFor();
    expect(await textOf(told)).toMatch(
      /must have 3\.9 MB of this site's storage, got 0\.1 MB[\s\S]*Remove a stored model/,
    );
  });

  test("a second tab uses the first one's model, and takes over when that is closed", async () => {
    const { page, context } = await site.open(PATH, look);
    await load(page);
    const second = await context.newPage();
    await second.goto(site.url + PATH);
    expect(await load(second)).toContain("held by another tab");
    await ask(second, "Tell me a fairy tale.");
    await writes(second);
    await page.close();
    await ask(second, "Another one.");
    const retry = second.getByRole("button", { name: "Try again" });
    await expect
      .poll(
        async () => {
          if (await retry.isVisible()) await retry.click(); // a call that the other tab had taken along
          const texts = await second.locator(".turn.assistant .text").allTextContents();
          return texts.length === 2 && texts[1] !== "";
        },
        { timeout: 20_000 },
      )
      .toBe(true);
  });
});

describe.skipIf(command === undefined)("a model on the GPU", () => {
  const site = new TestSite(command, ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]);

  test("a device that is lost is told, and the model can be loaded again", { timeout: 120_000 }, async () => {
    const { page, context } = await site.open(PATH, { ...DESKTOP, scheme: "light" });
    page.setDefaultTimeout(60_000);
    expect(await load(page, "webgpu")).toContain("webgpu");
    await ask(page, "Tell me a fairy tale.");
    await writes(page, 60_000);
    const browser = await context.browser()!.newBrowserCDPSession();
    await browser.send("Browser.crashGpuProcess");
    const told = page.locator(".failure");
    await told.waitFor();
    expect(await textOf(told)).toContain("ERR_DEVICE_LOST");
    await page.getByRole("button", { name: "Change the model" }).click();
    expect(await load(page, "wasm")).toContain("wasm");
  });
});
