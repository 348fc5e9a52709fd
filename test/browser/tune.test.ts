import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { wasmBackend } from "../../src/backends/wasm/index.js";
import { tune } from "../../src/runtime/tune.js";
import type * as library from "../../src/web/index.js";
import { TestBrowser } from "../helpers/browser.js";
import { TINY } from "../helpers/tiny-models.js";
import { adapterBytes, ROWS, SMALL, tempFolder } from "../helpers/tune-runs.js";
import { canRun, command } from "./browser.js";
import { openPage } from "./model-page.js";
import { Site } from "./site.js";

declare const gemma: typeof library; // in the page

const wasm = await wasmBackend.available();
if (wasm !== true) console.warn(`SKIPPED: tuning in a page: ${wasm}`);

describe.skipIf(!canRun || wasm !== true)("tuning in a page", () => {
  const browser = new TestBrowser(command);

  test("learns what a run in Node learns, bit for bit, and answers with it at once", { timeout: 60_000 }, async () => {
    const out = join(tempFolder(), "run");
    const options = { ...SMALL, epochs: 8, activations: "int8" } as const;
    await tune(TINY.gemma3, ROWS, { ...options, out, backend: "wasm", threads: 1, inProcess: true }).result;
    const site = await Site.open();
    const page = await openPage(await browser.context(), site.url);
    const learned = await page.evaluate(
      async ([rows, given]) => {
        const loaded = await gemma.Gemma.load("tiny", { backend: "wasm", contextLength: 256 });
        const asked = { ids: await loaded.encodePrompt(rows[0]!.prompt) };
        const answer = async (adapter?: string) =>
          (
            await loaded.score(
              { ids: [...asked.ids, ...(await loaded.encode(rows[0]!.completion))] },
              {
                first: asked.ids.length - 1,
                ...(adapter ? { adapter } : {}),
              },
            )
          ).logprobs.at(-1)!.logprob;
        const before = await answer();
        const run = loaded.tune(rows, given);
        const losses: number[] = [];
        for await (const event of run) if (event.type === "step") losses.push(event.loss);
        const { files } = await run.result;
        await loaded.addAdapter("sums", files);
        const bytes = [...new Uint8Array(await files.find(({ name }) => name.endsWith(".safetensors"))!.arrayBuffer())];
        return { before, after: await answer("sums"), still: await answer(), losses, bytes };
      },
      [ROWS, options] as const,
    );
    expect(Buffer.from(learned.bytes).equals(adapterBytes(out))).toBe(true);
    expect(learned.losses.at(-1)).toBeLessThan(learned.losses[0]!);
    expect(learned.after).toBeGreaterThan(learned.before);
    expect(learned.still).toBe(learned.before);
    await site.close();
  });
});
