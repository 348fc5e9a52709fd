import type { BrowserContext, Page } from "playwright-core";
import type * as library from "../../src/web/index.js";
import { loadTiny } from "../helpers/server.js";

declare const gemma: typeof library; // in the page

export const PROMPT = "the quick";
export const TOKENS = { maxTokens: 12, temperature: 0, ignoreEos: true };

/** What Node writes for the prompt. */
export async function expectedIds(): Promise<readonly number[]> {
  const model = await loadTiny();
  const { ids } = await model.generate(PROMPT, TOKENS).result;
  await model.dispose();
  return ids;
}

/** A tab of a site that has the library. */
export async function openPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await isReady(page);
  return page;
}

export async function reload(page: Page): Promise<void> {
  await page.reload();
  await isReady(page);
}

async function isReady(page: Page): Promise<void> {
  await page.waitForFunction("globalThis.ready === true");
}

/** Loads the model and generates: what came, which notes, and the phases of its progress. It stays as `loaded`. */
export function use(page: Page, model = "tiny", options: object = {}) {
  return page.evaluate(
    async ([name, given, prompt, tokens]) => {
      const notes: string[] = [];
      const phases = new Set<string>();
      const loaded = await gemma.Gemma.load(name as string, {
        ...{ backend: "reference", activations: "f32", contextLength: 256 },
        onNote: (line) => notes.push(line),
        onProgress: ({ phase }) => phases.add(phase),
        ...(given as object),
      });
      Object.assign(globalThis, { loaded });
      const { ids, text } = await loaded.generate(prompt as string, tokens as object).result;
      return { ids, text, notes, phases: [...phases], holder: loaded.holder, info: loaded.info };
    },
    [model, options, PROMPT, TOKENS] as const,
  );
}

/** The error of a load; null: it went well. */
export function failure(page: Page, model = "tiny", options: object = {}) {
  return page.evaluate(
    async ([name, given]) => {
      const base = { backend: "reference", activations: "f32", contextLength: 256 } as const;
      return gemma.Gemma.load(name as string, { ...base, ...(given as object) }).then(
        () => null,
        ({ code, message, hint }: library.GemmaError) => ({ code, message, hint }),
      );
    },
    [model, options] as const,
  );
}
