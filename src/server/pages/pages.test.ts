import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get, post, tinyServer } from "../../../test/helpers/server.js";
import { KeyRing, makeKey } from "../access/keys.js";
import type { GemmaServer } from "../server.js";

const key = makeKey("mine");
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});
const FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "start.js", "start.css"];

let open: GemmaServer;
let closed: GemmaServer;
beforeAll(async () => {
  [open, closed] = await Promise.all([
    tinyServer({ site: false }),
    tinyServer({ keys: new KeyRing([key.stored]), docs: true, site: false }),
  ]);
});
afterAll(() => Promise.all([open.dispose(), closed.dispose()]));

describe("the page", () => {
  test("and its files come from this server alone", async () => {
    const page = await get(open, "/docs");
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    const html = await page.text();
    const links = Array.from(html.matchAll(/(?:src|href)="([^"]+)"/g), ([, link]) => link!);
    expect(links.map((link) => link.replace("docs/", "")).sort()).toEqual([...FILES].sort());
    expect(html).not.toMatch(/<script>|<style|https?:|\son\w+=/);
    const policy = page.headers.get("content-security-policy")!;
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval|script-src/);
    for (const link of links) {
      const file = await get(open, `/${link}`);
      expect([link, file.status, file.headers.get("x-content-type-options")]).toEqual([link, 200, "nosniff"]);
      expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
    expect(await (await get(open, "/docs/start.js")).text()).toContain("validatorUrl: null"); // else it asks a server of Swagger's
  });

  test("nothing else of the package is readable", async () => {
    for (const name of [
      "package.json",
      "index.html",
      "swagger-ui-bundle.js.map",
      "../package.json",
      "%2e%2e/package.json",
    ]) {
      expect([name, (await get(open, `/docs/${name}`)).status]).toEqual([name, 404]);
    }
  });

  test("an address with a slash behind it leads to the one without", async () => {
    const response = await get(open, "/docs/");
    expect([response.status, response.headers.get("location")]).toEqual([308, "../docs"]);
  });

  test("can be turned off; the document stays", async () => {
    const server = await tinyServer({ docs: false, site: false });
    expect((await get(server, "/docs")).status).toBe(404);
    for (const file of FILES) expect((await get(server, `/docs/${file}`)).status).toBe(404);
    expect((await get(server, "/", { accept: "text/html" })).headers.get("content-type")).toContain("json");
    expect((await get(server, "/openapi.json")).status).toBe(200);
    await server.dispose();
  });
});

test("the root sends browsers to the page, and tells others where things are", async () => {
  const browser = await get(open, "/", { accept: "text/html,application/xhtml+xml" });
  expect([browser.status, browser.headers.get("location")]).toEqual([302, "docs"]);
  const answer = await (await get(open, "/")).json();
  expect(answer).toMatchObject({ name: "gemma.ts", version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  for (const link of Object.values<string>(answer.links))
    expect([link, (await get(open, `/${link}`)).status]).toEqual([link, 200]);
});

describe("with keys", () => {
  const PAGES = ["/", "/openapi.json", "/docs", ...FILES.map((name) => `/docs/${name}`)];

  test("a browser is asked for one, and sends it as a password", async () => {
    for (const path of PAGES) {
      const refused = await get(closed, path, { accept: "text/html" });
      expect([path, refused.status, refused.headers.get("www-authenticate")]).toEqual([
        path,
        401,
        expect.stringMatching(/^Bearer, Basic realm=/),
      ]);
      expect(await refused.text()).not.toMatch(/swagger/i);
      for (const user of ["", "anyone"]) {
        expect([path, (await get(closed, path, basic(user, key.text))).status]).not.toEqual([path, 401]);
      }
      expect((await get(closed, path, { authorization: `Bearer ${key.text}` })).status).toBeLessThan(400);
      expect((await get(closed, path, basic("x", `${key.text}x`))).status).toBe(401);
      expect((await get(closed, path, basic(key.text, ""))).status).toBe(401);
    }
  });

  test("nowhere else is a password taken: a browser would send it along for foreign pages", async () => {
    expect((await get(closed, "/v1/models", basic("x", key.text))).status).toBe(401);
    expect((await get(closed, "/api/tags", basic("x", key.text))).status).toBe(401);
    const request = { prompt: "x", max_tokens: 1 };
    const refused = await post(closed, "/v1/completions", request, { headers: basic("x", key.text) });
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect((await post(closed, "/docs", request, { headers: basic("x", key.text) })).status).toBe(401);
  });
});
