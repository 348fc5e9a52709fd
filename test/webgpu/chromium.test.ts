import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wgslPlugin } from "../../scripts/lib/wgsl.mjs";
import { TestBrowser } from "../helpers/browser.js";
import { findChromium } from "../helpers/chromium.js";
import type { Report } from "../helpers/conformance.js";

// The webgpu backend in a browser. --use-webgpu-adapter=swiftshader: a GPU in software.

const FLAGS = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
const WHOLE = process.env.GEMMA_WEBGPU_WHOLE === "1";
const command = findChromium();

/** The page's code: what a bundler makes of the sources. */
async function bundle(): Promise<string> {
  const bundler = await rolldown({
    input: "./test/webgpu/page.ts",
    platform: "browser",
    plugins: [wgslPlugin()],
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
  });
  const { output } = await bundler.generate({ format: "es" });
  await bundler.close();
  return output[0].code;
}

describe.skipIf(command === undefined)("webgpu in Chromium", () => {
  const browser = new TestBrowser(command, FLAGS);
  let server: Server;
  beforeAll(async () => {
    const code = await bundle();
    server = createServer(({ url }, response) => {
      response.setHeader("content-type", url === "/page.js" ? "text/javascript" : "text/html");
      response.end(url === "/page.js" ? code : '<!doctype html><script type="module" src="/page.js"></script>');
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  });
  afterAll(() => server.close());

  test("passes the conformance suite", { timeout: 600_000 }, async () => {
    const page = await (await browser.context()).newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction("globalThis.runConformance");
    const selection = WHOLE ? {} : { mostWork: 8_000 };
    const report = await page.evaluate<Report & { isa: string }>(
      `runConformance(${JSON.stringify(selection)}, ${!WHOLE})`,
    );
    for (const [reason, count] of Object.entries(report.leftOut)) {
      console.warn(`Chromium: ${count} cases left out: ${reason}`);
    }
    expect(report.failures).toEqual([]);
    expect(report.ran).toBeGreaterThan(80);
    expect(report.isa).toBe("f32+subgroups"); // what this adapter has
    expect(complaints).toEqual([]);
  });
});
