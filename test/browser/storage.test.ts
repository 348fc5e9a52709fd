import type { BrowserContext, Page } from "playwright-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type * as library from "../../src/web/index.js";
import { TestBrowser } from "../helpers/browser.js";
import { canRun, command } from "./browser.js";
import { expectedIds, failure, openPage, PROMPT, reload, TOKENS, use } from "./model-page.js";
import { MODEL, Site } from "./site.js";

declare const gemma: typeof library; // in the page

describe.skipIf(!canRun)("models of a page", () => {
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

  test("a model is fetched, checked, stored, loaded, and writes what it writes in Node", async () => {
    const plan = () => page.evaluate(() => gemma.planModel("tiny", { contextLength: 256 }));
    expect(await plan()).toMatchObject({
      ...{ name: "tiny", sizeBytes: MODEL.bytes.length, downloadBytes: MODEL.bytes.length, isStored: false },
      problems: [],
      memory: { weightsBytes: MODEL.bytes.length, kvBytes: expect.any(Number) },
    });
    const first = await use(page);
    expect(first.ids).toEqual(expected);
    expect(first.phases).toEqual(["download", "weights"]);
    expect(first.info).toMatchObject({ name: "tiny", path: "tiny/tiny.gguf", backend: { name: "reference" } });
    expect(await plan()).toMatchObject({ downloadBytes: 0, isStored: true });
    expect(await page.evaluate(() => gemma.listStoredModels())).toMatchObject([
      { name: "tiny", isComplete: true, sizeBytes: MODEL.bytes.length, storedBytes: MODEL.bytes.length },
    ]);
  });

  test("after a reload it comes from the site's storage, without the network", async () => {
    await use(page);
    await reload(page);
    site.hasModels = false;
    site.fetched.length = 0;
    const second = await use(page);
    expect([second.ids, second.phases]).toEqual([expected, ["weights"]]);
    expect(site.fetched).toEqual([]);
    expect(await page.evaluate(() => gemma.removeStoredModel("tiny"))).toBe(true);
    expect(await failure(page, "tiny", { tabs: "own" })).toMatchObject({ code: "ERR_MISSING_FILE" });
    expect(await failure(page, "tiny", { tabs: "own", offline: true })).toMatchObject({ code: "ERR_OFFLINE" });
  });

  test("a connection that breaks goes on where it broke", async () => {
    site.cuts = [200_000, 100_000];
    expect((await use(page)).ids).toEqual(expected);
    expect(site.fetched.map(({ range }) => range)).toEqual([undefined, undefined, "bytes=200000-", "bytes=300000-"]);
  });

  test("a download that a reload cut goes on where it was", async () => {
    site.pauseMs = 30;
    const started = page.evaluate(() => {
      const options = {
        backend: "reference",
        onProgress: ({ done }: { done: number }) => (document.title = `${done}`),
      };
      void gemma.Gemma.load("tiny", options as library.LoadOptions);
    });
    await started;
    await page.waitForFunction(() => Number(document.title) > 150_000);
    await reload(page);
    site.pauseMs = 0;
    site.fetched.length = 0;
    const plan = await page.evaluate(() => gemma.planModel("tiny"));
    expect(plan.downloadBytes).toBeLessThan(MODEL.bytes.length - 100_000);
    const { ids, phases } = await use(page);
    expect([ids, phases]).toEqual([expected, ["verify", "download", "weights"]]);
    const ranges = site.fetched.map(({ range }) => range).filter((range) => range && !range.startsWith("bytes=0-"));
    expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d+-$/)]);
  });

  test("other bytes than those that were promised are refused, and not kept", async () => {
    expect(await failure(page, "wrong")).toMatchObject({ code: "ERR_CHECKSUM", hint: expect.any(String) });
    expect((await page.evaluate(() => gemma.listStoredModels())).filter(({ isComplete }) => isComplete)).toEqual([]);
  });

  test("a page in a model's place, of which nobody told the hash, is refused, and not kept", async () => {
    expect(await failure(page, "/")).toMatchObject({ code: "ERR_INVALID_HEADER" });
    expect(await page.evaluate(() => gemma.listStoredModels())).toEqual([]);
    expect(await failure(page, "/", { tabs: "own", offline: true })).toMatchObject({ code: "ERR_OFFLINE" });
  });

  test("a stored model that was damaged is told, and can be removed at once", async () => {
    await use(page);
    await page.evaluate(async () => {
      await (globalThis as unknown as { loaded: library.Gemma }).loaded.dispose();
      const root = await navigator.storage.getDirectory();
      const models = await (await root.getDirectoryHandle("gemma-ts")).getDirectoryHandle("models");
      const file = await (await models.getDirectoryHandle("tiny")).getFileHandle("tiny.gguf");
      const stream = await file.createWritable({ keepExistingData: true });
      await stream.write("<!doctype html><title>404</title>");
      await stream.close();
    });
    expect(await failure(page, "tiny", { tabs: "own" })).toMatchObject({ code: "ERR_INVALID_HEADER" });
    expect(await page.evaluate(() => gemma.removeStoredModel("tiny"))).toBe(true);
  });

  test("names that nobody offers, and sites that offer nothing", async () => {
    const unknown = await failure(page, "gemma-3-270m");
    expect(unknown).toMatchObject({
      code: "ERR_UNKNOWN_MODEL",
      hint: "offered: tiny, wrong; an address of a .gguf file will do, too",
    });
    expect(await failure(page, "tiny", { models: "/nothing/" })).toMatchObject({ code: "ERR_MISSING_FILE" });
    expect(await failure(page, "/none.gguf")).toMatchObject({ code: "ERR_MISSING_FILE" });
  });

  describe("no room in the site's storage: numbers and what to do", () => {
    // Chromium keeps quotas to itself, and says 10 GB where there is less.
    const telling = new TestBrowser(command, ["--disable-features=StaticStorageQuota"]);

    async function failWithLittle(where: Page) {
      const session = await where.context().newCDPSession(where);
      await session.send("Storage.overrideQuotaForOrigin", { origin: site.url.slice(0, -1), quotaSize: 100_000 });
      const error = await failure(where);
      expect(error).toMatchObject({ code: "ERR_DISK_FULL", hint: expect.stringContaining("removeStoredModel") });
      return error!.message;
    }

    test("in a browser that tells its quota, before anything is fetched", async () => {
      const where = await openPage(await telling.context(), site.url);
      const message = await failWithLittle(where);
      expect(message).toMatch(/^tiny: must have 0\.\d MB of this site's storage, got 0\.1 MB of 0\.1 MB left$/);
      expect(site.fetched.filter(({ path }) => path.endsWith(".gguf"))).toEqual([]);
      const { problems } = await where.evaluate(() => gemma.planModel("tiny"));
      expect(problems).toEqual([expect.stringContaining("storage")]);
    });

    // Without a profile on the disk Chromium looks at the quota when a file is renamed, not when it grows.
    test("in one that does not", async () => {
      expect(await failWithLittle(page)).toMatch(/^tiny: must have 0\.[1-9] MB of this site's storage, got less$/);
    });
  });

  test("a stored model that the browser has thrown away is fetched anew", async () => {
    await use(page);
    await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const models = await (await root.getDirectoryHandle("gemma-ts")).getDirectoryHandle("models");
      await (await models.getDirectoryHandle("tiny")).removeEntry("tiny.gguf");
    });
    await reload(page);
    expect(await page.evaluate(() => gemma.listStoredModels())).toMatchObject([{ name: "tiny", isComplete: false }]);
    expect(await use(page)).toMatchObject({ ids: expected, phases: ["download", "weights"] });
  });

  describe("the user's own file", () => {
    /** Chooses a file and loads it. */
    async function choose(name: string, content: Buffer, options: object = {}) {
      await page.setInputFiles("#file", { name, mimeType: "application/octet-stream", buffer: content });
      return page.evaluate(
        async ([given, prompt, tokens]) => {
          const [file] = document.querySelector<HTMLInputElement>("#file")!.files!;
          const base = { backend: "reference", activations: "f32", contextLength: 256 } as const;
          try {
            const loaded = await gemma.Gemma.load(file!, { ...base, ...(given as object) });
            const { ids } = await loaded.generate(prompt as string, tokens as object).result;
            await loaded.dispose();
            return { ids, name: loaded.info.name };
          } catch (error) {
            const { code, message } = error as library.GemmaError;
            return { code, message };
          }
        },
        [options, PROMPT, TOKENS] as const,
      );
    }

    test("is read where it lies, and kept only if that is asked for", async () => {
      expect(await choose("my model.gguf", MODEL.bytes)).toEqual({ ids: expected, name: "my model.gguf" });
      expect(await page.evaluate(() => gemma.listStoredModels())).toEqual([]);
      expect(await choose("my model.gguf", MODEL.bytes, { store: true })).toMatchObject({ ids: expected });
      expect(await page.evaluate(() => gemma.listStoredModels())).toMatchObject([
        { name: "my model.gguf", isComplete: true },
      ]);
      await reload(page);
      expect(await use(page, "my model.gguf")).toMatchObject({ ids: expected, phases: ["weights"] });
    });

    test.each([
      ["cut.gguf", MODEL.bytes.subarray(0, 200_000), "ERR_TRUNCATED"],
      ["empty.gguf", Buffer.alloc(0), "ERR_TRUNCATED"],
      ["page.gguf", Buffer.from("<!doctype html><title>404</title>"), "ERR_INVALID_HEADER"],
      ["pickle.gguf", Buffer.from([0x80, 2, 0x7d, 0x71, 0, 0x2e]), "ERR_FORBIDDEN_FORMAT"],
    ])("is refused as in Node: %s", async (name, content, code) => {
      const result = await choose(name, content);
      expect(result).toMatchObject({ code, message: expect.stringMatching(new RegExp(`^${name}`)) });
    });
  });

  test("without storage the model stays in memory, and the user is told", async () => {
    await page.evaluate(() => {
      const refused = () => Promise.reject(new DOMException("private window", "SecurityError"));
      Object.defineProperty(StorageManager.prototype, "getDirectory", { value: refused });
    });
    const result = await page.evaluate(
      async ([worker, prompt, tokens]) => {
        const notes: string[] = [];
        const urlOf = (script: string) => URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
        // The worker has a storage of its own: it is taken away there, too, before the engine's module runs.
        const refuse = `StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException("x", "SecurityError"))`;
        const url = urlOf(`import "${urlOf(refuse)}"; import "${worker}";`);
        const loaded = await gemma.Gemma.load("tiny", {
          ...{ backend: "reference", activations: "f32", contextLength: 256 },
          worker: () => new Worker(url, { type: "module" }),
          onNote: (line) => notes.push(line),
        });
        return { ids: (await loaded.generate(prompt as string, tokens as object).result).ids, notes };
      },
      [`${site.url}dist/web/bundle/worker-web.js`, PROMPT, TOKENS] as const,
    );
    expect(result).toEqual({ ids: expected, notes: [expect.stringContaining("stores no files")] });
    expect((await page.evaluate(() => gemma.planModel("tiny"))).problems).toEqual([
      expect.stringContaining("at each visit"),
    ]);
  });
});
