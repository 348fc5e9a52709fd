import { describe, expect, test } from "vitest";
import { DESKTOP, siteBrowser, TestSite, UPDATED_VERSION } from "../helpers/site.js";

const command = siteBrowser();

describe.skipIf(command === undefined)("the site as an application", () => {
  const site = new TestSite(command);

  test("works without the network once it was loaded, all pages in both languages, isolated", async () => {
    const { page, context } = await site.open("en/", { ...DESKTOP, scheme: "light" });
    await page.evaluate(() => navigator.serviceWorker.ready);
    await context.setOffline(true);
    for (const path of ["en/", "de/", "en/playground/", "de/playground/"]) {
      await page.goto(site.url + path);
      expect(await page.locator("h1").isVisible()).toBe(true);
      expect(await page.evaluate(() => [crossOriginIsolated, navigator.serviceWorker.controller !== null])).toEqual([
        true,
        true,
      ]);
    }
  });

  test("has what browsers want of an application that can be installed", async () => {
    const { page } = await site.open("de/", { ...DESKTOP, scheme: "light" });
    const href = await page.locator("link[rel=manifest]").evaluate((link) => (link as HTMLLinkElement).href);
    const manifest = await (await page.request.get(href)).json();
    expect(manifest).toMatchObject({ name: "gemma.ts", lang: "de", display: "standalone" });
    for (const { src, sizes, type } of manifest.icons) {
      const icon = await page.request.get(new URL(src, href).href);
      expect([src, icon.status(), icon.headers()["content-type"]]).toEqual([src, 200, type]);
      if (type !== "image/png") continue;
      const body = await icon.body(); // width and height stand at byte 16
      expect(`${body.readUInt32BE(16)}x${body.readUInt32BE(20)}`).toBe(sizes);
    }
    expect((await page.request.get(new URL(manifest.start_url, href).href)).status()).toBe(200);
  });

  test("a new version waits until it is wanted, and then comes whole", async () => {
    const { page } = await site.open("en/", { ...DESKTOP, scheme: "light" });
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.reload();
    site.update();
    const names = () => page.evaluate(() => caches.keys());
    const before = await names();
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())!.update());
    await page.locator("#update").waitFor();
    expect(await names()).toHaveLength(2);
    await Promise.all([page.waitForEvent("load"), page.locator("[data-update=apply]").click()]);
    await expect.poll(names).toEqual([`gemma-site-${UPDATED_VERSION}`]);
    expect(before).not.toContain(`gemma-site-${UPDATED_VERSION}`);
  });
});
