import type { BrowserContext, Page } from "playwright-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type * as library from "../../src/web/index.js";
import { TestBrowser } from "../helpers/browser.js";
import { canRun, command } from "./browser.js";
import { expectedIds, failure, openPage, PROMPT, TOKENS, use } from "./model-page.js";
import { Site } from "./site.js";

declare const gemma: typeof library; // in the page

describe.skipIf(!canRun)("a page", () => {
  const browser = new TestBrowser(command);
  let site: Site;
  let context: BrowserContext;
  let page: Page;
  let expected: readonly number[];

  beforeAll(async () => {
    expected = await expectedIds();
  }, 60_000);
  beforeEach(async () => {
    site = await Site.open();
    context = await browser.context();
    page = await openPage(context, site.url);
  });
  afterEach(() => site.close());

  test.each([true, false])(
    "a generation stops when it is told to (isolated: %s), and the page stays quick",
    async (isolated) => {
      const other = await Site.open({ isolated });
      const where = await openPage(context, other.url);
      expect(await where.evaluate(() => crossOriginIsolated)).toBe(isolated);
      await use(where);
      const result = await where.evaluate(async () => {
        const { loaded } = globalThis as unknown as { loaded: library.Gemma };
        const controller = new AbortController();
        let last = performance.now();
        const gapsMs: number[] = [];
        const timer = setInterval(() => {
          gapsMs.push(performance.now() - last);
          last = performance.now();
        }, 1);
        const generation = loaded.generate("a", { maxTokens: 200, ignoreEos: true, signal: controller.signal });
        let pieces = 0;
        let abortedAt = 0;
        const error = await (async () => {
          for await (const _ of generation.tokens()) {
            if (++pieces < 5) continue;
            abortedAt = performance.now();
            controller.abort(new Error("enough"));
          }
        })().catch((reason) => reason.message);
        clearInterval(timer);
        const stoppedMs = performance.now() - abortedAt;
        const gapMs = gapsMs.sort((a, b) => a - b)[Math.floor(gapsMs.length * 0.95)]!;
        const after = await loaded.generate("a", { maxTokens: 3, ignoreEos: true }).result;
        return { error, gapMs, stoppedMs, pieces, after: after.ids.length };
      });
      expect(result).toMatchObject({ error: "enough", after: 3 });
      expect(result.pieces).toBeLessThan(150);
      expect(result.stoppedMs).toBeLessThan(1000);
      expect(result.gapMs).toBeLessThan(50); // not the longest: other tests share the cores
      await other.close();
    },
  );

  test.each([true, false])("an answer in a schema's form (isolated: %s)", async (isolated) => {
    const other = await Site.open({ isolated });
    const where = await openPage(context, other.url);
    await use(where);
    const [json, error] = await where.evaluate(async () => {
      const { loaded } = globalThis as unknown as { loaded: library.Gemma };
      const shape = {
        type: "object",
        properties: { a: { type: "boolean" } },
        required: ["a"],
        additionalProperties: false,
      };
      const text = await loaded.generate("a", { jsonSchema: shape, maxTokens: 64 }).text();
      const wide = { type: "string", pattern: "^[^a]{1,900}b?$" };
      const endless = { type: "array", prefixItems: new Array(400).fill(wide) };
      const refused = loaded.generate("a", { jsonSchema: endless, maxTokens: 4 }).result;
      return [
        text,
        await refused.then(
          () => null,
          (reason) => reason.code,
        ),
      ] as const;
    });
    expect(JSON.parse(json)).toEqual({ a: expect.any(Boolean) });
    expect(error).toBe("ERR_SCHEMA"); // ended after its budget: the engine goes on
    await other.close();
  });

  test("two tabs share one model; when its holder is closed, the other takes over", async () => {
    const second = await openPage(context, site.url);
    expect((await use(page)).holder).toBe("this-tab");
    const guest = await use(second);
    expect(guest).toMatchObject({ ids: expected, holder: "other-tab", phases: [] });
    expect(guest.notes).toEqual([expect.stringContaining("another tab")]);
    const stopped = await second.evaluate(async () => {
      const { loaded } = globalThis as unknown as { loaded: library.Gemma };
      const generation = loaded.generate("a", { maxTokens: 200, ignoreEos: true });
      for await (const _ of generation) break;
      return generation.result.catch((error) => error.name);
    });
    expect(stopped).toBe("AbortError");
    await page.close();
    await second.waitForFunction(
      () => (globalThis as unknown as { loaded: library.Gemma }).loaded.holder === "this-tab",
    );
    const ids = await second.evaluate(
      async ([prompt, tokens]) => {
        const { loaded } = globalThis as unknown as { loaded: library.Gemma };
        return (await loaded.generate(prompt as string, tokens as object).result).ids;
      },
      [PROMPT, TOKENS] as const,
    );
    expect(ids).toEqual(expected);
    expect((await use(await openPage(context, site.url))).holder).toBe("other-tab");
  });

  test("what the browser offers, and no backend that nobody asked for", async () => {
    expect(await page.evaluate(() => gemma.browserFeatures())).toMatchObject({
      ...{ crossOriginIsolated: true, threads: true, simd: true, relaxedSimd: true, storage: true, tabs: true },
      cores: expect.any(Number),
      backends: expect.arrayContaining([{ name: "reference", available: true }]),
    });
    expect(await failure(page, "tiny", { backend: "native" })).toMatchObject({ code: "ERR_USAGE" });
  });

  test("a worker that cannot be loaded is told, not waited for", async () => {
    const error = await page.evaluate(() =>
      gemma.Gemma.load("tiny", { worker: "/nothing.js" }).catch(({ code, message }) => ({ code, message })),
    );
    expect(error).toMatchObject({ code: "ERR_WORKER", message: expect.stringContaining("script") });
  });
});
