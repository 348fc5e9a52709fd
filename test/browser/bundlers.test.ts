import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TestBrowser } from "../helpers/browser.js";
import { canRun, command } from "./browser.js";
import { BUNDLERS, type Bundler, entryBytes, filesOf, lackOf, makeProject } from "./bundlers.js";
import { Site } from "./site.js";

// An application of its own that imports "gemma-ts", built with each bundler and opened in a browser.

const SCRIPT = `
import { Gemma } from "gemma-ts";
globalThis.run = async () => {
  const gemma = await Gemma.load("tiny", { contextLength: 256, threads: 2 });
  const { text } = await gemma.generate("the", { maxTokens: 4, ignoreEos: true }).result;
  const schema = { type: "object", properties: { a: { type: "boolean" } }, required: ["a"], additionalProperties: false };
  const json = await gemma.generate("the", { jsonSchema: schema, maxTokens: 64 }).text();
  const { name, threads } = gemma.info.backend;
  await gemma.dispose();
  return { text, json, backend: [name, threads] };
};
globalThis.ready = true;
`;
/** What a page loads at once. Its worker comes when a model is loaded. */
const MOST_GZIP_BYTES = 24_000;

describe.skipIf(!canRun)("a page that is built with", () => {
  const browser = new TestBrowser(command);
  const folder = mkdtempSync(join(tmpdir(), "gemma-bundlers-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.for(Object.keys(BUNDLERS) as Bundler[])(
    "%s loads, generates and keeps to a schema",
    { timeout: 120_000 },
    async (name, { skip }) => {
      const lack = lackOf(name);
      if (lack !== undefined) {
        console.warn(`SKIPPED: a page built with ${name}: ${lack}`);
        skip(lack);
      }
      const project = makeProject(join(folder, name), SCRIPT);
      await BUNDLERS[name](project);
      const entry = entryBytes(project.out);
      expect(entry.gzipBytes, `${name}: ${entry.file} of ${filesOf(project.out).join(", ")}`).toBeLessThan(
        MOST_GZIP_BYTES,
      );
      console.info(`${name}: ${entry.file} has ${entry.bytes} bytes, ${entry.gzipBytes} with gzip`);
      const site = await Site.open({ folder: project.out });
      const page = await (await browser.context()).newPage();
      try {
        const complaints: string[] = [];
        page.on("pageerror", (error) => complaints.push(String(error)));
        await page.goto(site.url);
        await page.waitForFunction("globalThis.ready === true");
        const { text, json, backend } = await page.evaluate(() =>
          (globalThis as unknown as { run(): Promise<{ text: string; json: string; backend: unknown }> }).run(),
        );
        expect(backend).toEqual(["wasm", 2]); // its binaries and threads are found, too
        expect(text.length).toBeGreaterThan(0);
        expect(JSON.parse(json)).toEqual({ a: expect.any(Boolean) });
        expect(complaints).toEqual([]);
      } finally {
        await site.close();
      }
    },
  );
});
