import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get, tinyServer } from "../../../test/helpers/server.js";
import type { GemmaServer } from "../server.js";
import { hasSite } from "./site.js";

if (!hasSite) console.warn("skipped: the site behind the server needs dist-site (npm run site:build)");

describe.skipIf(!hasSite)("the site", () => {
  let open: GemmaServer;
  let without: GemmaServer;
  beforeAll(async () => {
    [open, without] = await Promise.all([tinyServer(), tinyServer({ site: false })]);
  });
  afterAll(() => Promise.all([open.dispose(), without.dispose()]));

  test("is what browsers find at the root, with the headers that turn threads on", async () => {
    const page = await get(open, "/", { accept: "text/html" });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('href="en/"');
    for (const path of ["/en/", "/de/playground/", "/sw.js", "/icon.svg"]) {
      const { status, headers } = await get(open, path);
      expect([path, status]).toEqual([path, 200]);
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-embedder-policy")).toBe("require-corp");
      expect(headers.get("content-security-policy")).toMatch(/frame-ancestors 'none'/);
      expect(headers.get("content-security-policy")).not.toMatch(/unsafe-inline|unsafe-eval(?!')|'unsafe-eval'/);
    }
    expect(await (await get(open, "/")).json()).toMatchObject({ name: "gemma.ts" });
  });

  test("a page without its slash leads to the one with it", async () => {
    const { status, headers } = await get(open, "/de/playground");
    expect([status, headers.get("location")]).toEqual([308, "playground/"]);
  });

  test("nothing else of the folder is readable", async () => {
    for (const path of [
      "/.key",
      "/assets/",
      "/en/../../package.json",
      "/en/%2e%2e/%2e%2e/package.json",
      "/models/nothing",
    ]) {
      expect([path, (await get(open, path)).status]).toEqual([path, 404]);
    }
  });

  test("can be left out", async () => {
    expect((await get(without, "/en/")).status).toBe(404);
    expect((await get(without, "/", { accept: "text/html" })).headers.get("location")).toBe("docs");
  });
});
