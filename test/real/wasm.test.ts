import { afterAll, describe, expect, test } from "vitest";
import { wasmBackend } from "../../src/backends/wasm/index.js";
import { Gemma } from "../../src/index.js";
import { realModelPath } from "./model-path.js";
import { canRun, shortPrompts } from "./native-model.js";

const path = realModelPath();
const wasm = await wasmBackend.available();
if (wasm !== true) console.warn(`skipped: Gemma 3 270M on wasm: ${wasm}`);

const NEAR_TIE = 0.35; // nats between the two: the native backend rounds queries to bf16 as well

describe.skipIf(!canRun || wasm !== true)("Gemma 3 270M on wasm", () => {
  const opened: Gemma[] = [];
  afterAll(() => Promise.all(opened.map((gemma) => gemma.dispose())));

  test("greedy text is the native backend's up to a near tie, with one thread as with three", {
    timeout: 120_000,
  }, async () => {
    const open = async (backend: "native" | "wasm", threads: number) => {
      const gemma = await Gemma.load(path!, { backend, threads, contextLength: 512, inProcess: true });
      opened.push(gemma);
      return gemma;
    };
    const [native, one, three] = [await open("native", 2), await open("wasm", 1), await open("wasm", 3)];
    for (const ids of shortPrompts(3)) {
      const options = { maxTokens: 24, temperature: 0, ignoreEos: true };
      const wanted = (await native.generate({ ids }, options).result).ids;
      const got = (await one.generate({ ids }, options).result).ids;
      expect((await three.generate({ ids }, options).result).ids).toEqual(got);
      const at = wanted.findIndex((id, i) => id !== got[i]);
      if (at < 0) continue;
      const text = [...ids, ...wanted.slice(0, at)];
      const { after } = await native.score({ ids: text }, { after: [wanted[at]!, got[at]!] });
      expect(Math.abs(after[0]!.logprob - after[1]!.logprob), `token ${at}`).toBeLessThan(NEAR_TIE);
    }
  });
});
