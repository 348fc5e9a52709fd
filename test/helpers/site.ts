import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { createServer } from "../../src/server/index.js";
import { type Listener, listen } from "../../src/server/port/listen.js";
import type { GemmaServer } from "../../src/server/server.js";
import { TestBrowser } from "./browser.js";
import { findChromium } from "./chromium.js";

const built = fileURLToPath(new URL("../../dist-site/index.html", import.meta.url));

/** The browser's path where the site can be tested; undefined, with the reason printed, where it cannot. */
export function siteBrowser(): string | undefined {
  if (!existsSync(built)) {
    console.warn("SKIPPED: tests of the site need dist-site (npm run site:build)");
    return undefined;
  }
  return findChromium();
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

/** The built site as `npm run site` serves it, and a browser to look at it with, for the tests of a `describe`. */
export class TestSite {
  url = "";
  private readonly browser: TestBrowser;
  private isUpdated = false;

  constructor(executablePath: string | undefined, args: readonly string[] = []) {
    this.browser = new TestBrowser(executablePath, args);
    let home: string;
    let listener: Listener;
    beforeAll(async () => {
      // No model answers behind the API: pages compute themselves, or talk to servers that are scripted.
      home = mkdtempSync(join(tmpdir(), "gemma-site-")); // offers what ships alone, whatever this machine has
      const server = createServer(() => new Promise<never>(() => {}), { docs: false, weights: true, home });
      listener = await listen((request) => this.answer(request, server.fetch), { host: "127.0.0.1", port: 0 });
      this.url = `${listener.url}/`;
    });
    afterAll(async () => {
      await listener.close(0);
      rmSync(home, { recursive: true });
    });
  }

  /** From now on the site is one of version UPDATED_VERSION. */
  update(): void {
    this.isUpdated = true;
  }

  context(options: BrowserContextOptions): Promise<BrowserContext> {
    return this.browser.context(options);
  }

  /** A page in a context of its own. `complaints` has errors and warnings of its console. */
  async open(path: string, { width, height, scheme }: Look) {
    const isPhone = width < 600;
    const context = await this.context({
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
    const answer = await page.goto(this.url + path);
    if (answer?.ok() !== true) throw new Error(`${path}: must be a page of the site, got status ${answer?.status()}`);
    return { page, context, complaints };
  }

  private async answer(request: Request, fetch: GemmaServer["fetch"]): Promise<Response> {
    const response = await fetch(request);
    if (!this.isUpdated || !request.url.endsWith("/sw.js")) return response;
    const code = (await response.text()).replace(/(["'`])[0-9a-f]{16}\1/, `"${UPDATED_VERSION}"`);
    return new Response(code, response);
  }
}
