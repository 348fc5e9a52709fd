import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";

/** Longest wait for something of a page: an expectation that does not come true fails before its test's time is over. */
const WAIT_MS = 10_000;

/** A headless Chromium for the tests of the `describe` it is called in; the pages of a test end with it, failed or not. */
export class TestBrowser {
  private browser: Browser | undefined;

  constructor(executablePath: string | undefined, args: readonly string[] = []) {
    if (executablePath === undefined) return;
    beforeAll(async () => {
      // Containers run as root, and Chromium's sandbox refuses that.
      this.browser = await chromium.launch({ executablePath, args: ["--no-sandbox", ...args], timeout: 30_000 });
    }, 40_000);
    afterEach(() => Promise.all(this.browser?.contexts().map((context) => context.close()) ?? []));
    afterAll(() => this.browser?.close());
  }

  /** A profile of its own. */
  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.browser!.newContext(options);
    context.setDefaultTimeout(WAIT_MS);
    return context;
  }
}
