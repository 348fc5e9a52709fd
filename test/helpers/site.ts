import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { createServer } from "../../src/server/index.js";
import { listen } from "../../src/server/port/listen.js";
import { findChromium } from "./chromium.js";

const built = fileURLToPath(new URL("../../dist-site/index.html", import.meta.url));

/** The browser's path where the site can be tested; undefined, with the reason printed, where it cannot. */
export function siteBrowser(): string | undefined {
  if (!existsSync(built)) {
    console.warn("skipped: tests of the site need dist-site (npm run site:build)");
    return undefined;
  }
  const command = findChromium();
  // Playwright takes a path, no name.
  return command && execFileSync("sh", ["-c", 'command -v "$1"', "sh", command], { encoding: "utf8" }).trim();
}

export interface Look {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
}

export const DESKTOP = { width: 1280, height: 800 } as const;
export const PHONE = { width: 390, height: 844 } as const;

export const UPDATED_VERSION = "ffffffffffffffff";

/** What Chromium says itself where a page asks for WebGPU and there is no GPU. */
const NO_GPU = "No available adapters.";

/** The built site as `npm run site` serves it, and a browser to look at it with. */
export async function openSite(command: string) {
  // No model: these tests are of pages, and servers that they talk to are scripted.
  const home = mkdtempSync(join(tmpdir(), "gemma-site-")); // offers nothing, whatever this machine has
  const server = createServer(() => new Promise<never>(() => {}), { docs: false, weights: true, home });
  let isUpdated = false;
  const fetch = async (request: Request) => {
    const response = await server.fetch(request);
    if (!isUpdated || !request.url.endsWith("/sw.js")) return response;
    const code = (await response.text()).replace(/(["'`])[0-9a-f]{16}\1/, `"${UPDATED_VERSION}"`);
    return new Response(code, response);
  };
  const listener = await listen(fetch, { host: "127.0.0.1", port: 0 });
  const browser: Browser = await chromium.launch({ executablePath: command, args: ["--no-sandbox"] });
  return {
    url: `${listener.url}/`,
    browser,
    /** From now on the site is one of version UPDATED_VERSION. */
    update() {
      isUpdated = true;
    },
    /** A page in a context of its own. `complaints` has errors and warnings of its console. */
    async open(
      path: string,
      { width, height, scheme }: Look,
    ): Promise<{ page: Page; context: BrowserContext; complaints: string[] }> {
      const isPhone = width < 600;
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: scheme,
        hasTouch: isPhone,
        isMobile: isPhone,
        acceptDownloads: true,
      });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => {
        const isOurs = message.text() !== NO_GPU;
        if (isOurs && ["error", "warning"].includes(message.type())) complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.goto(`${listener.url}/${path}`);
      return { page, context, complaints };
    },
    async close() {
      await browser.close();
      await listener.close(0);
      rmSync(home, { recursive: true });
    },
  };
}
