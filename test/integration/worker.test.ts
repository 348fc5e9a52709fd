import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Gemma } from "../../src/index.js";
import { builtBackends, builtLibrary, isLibraryBuilt, runScript } from "../helpers/built-library.js";
import { TINY } from "../helpers/tiny-models.js";

const greedy = { temperature: 0, maxTokens: 12, ignoreEos: true };
const endless = { temperature: 0, maxTokens: 3000, ignoreEos: true };

describe.skipIf(!isLibraryBuilt).each(builtBackends)("the built library, engine in a worker, %s", (backend) => {
  let library: typeof import("../../src/index.js");
  let gemma: Gemma;
  beforeAll(async () => {
    library = await builtLibrary();
    gemma = await library.Gemma.load(TINY.gemma3, { backend, adapters: { tuned: TINY.adapter } });
  });
  afterAll(() => gemma?.dispose());

  test("streams what the whole text is", async () => {
    const generation = gemma.generate("the quick", greedy);
    let text = "";
    for await (const piece of generation) text += piece;
    const result = await generation.result;
    expect(result.text).toBe(text);
    expect(result.ids).toHaveLength(12);
    expect(await gemma.decode(result.ids)).toBe(text);
  });

  test("requests that run together give what they give alone, with and without adapter", async () => {
    const run = (i: number) =>
      gemma.generate({ ids: [2, 5 + i, 9, 33] }, { ...greedy, ...(i % 2 ? { adapter: "tuned" } : {}) }).result;
    const alone = [];
    for (let i = 0; i < 4; i++) alone.push((await run(i)).ids);
    const together = await Promise.all([0, 1, 2, 3].map(run));
    expect(together.map(({ ids }) => ids)).toEqual(alone);
  });

  test("an abort rejects with the caller's own reason, and the engine goes on", async () => {
    const reason = { why: Symbol("enough") };
    const controller = new AbortController();
    const generation = gemma.generate("the quick", { ...endless, signal: controller.signal });
    const loop = (async () => {
      for await (const _ of generation) controller.abort(reason);
    })();
    await expect(loop).rejects.toBe(reason);
    await expect(generation.result).rejects.toBe(reason);
    expect((await gemma.generate("the quick", greedy).result).ids).toHaveLength(12);
  });

  test("leaving the loop cancels; the engine is free at once", async () => {
    const generation = gemma.generate("the quick", endless);
    for await (const _ of generation) break;
    await expect(generation.result).rejects.toMatchObject({ name: "AbortError" });
    expect((await gemma.generate("the quick", greedy).result).ids).toHaveLength(12);
  });

  test("errors keep their class, code and hint across the worker's border", async () => {
    const long = { ids: new Array(9000).fill(5) };
    const error: unknown = await gemma.score(long).catch((e) => e);
    expect(error).toBeInstanceOf(library.GemmaError);
    expect(error).toMatchObject({ code: "ERR_CONTEXT_FULL", hint: expect.stringContaining("--ctx") });
  });

  test("chat, scores, logits and embeddings come across", async () => {
    const chat = gemma.chat();
    await chat.send("fox?", greedy).result;
    expect(chat.messages).toHaveLength(2);
    const seen: number[] = [];
    const { logprobs } = await gemma.score({ ids: [2, 5, 9] }, { onLogits: (at, l) => seen.push(at, l.length) });
    expect(logprobs).toEqual([null, expect.anything(), expect.anything()]);
    expect(seen).toEqual([0, 768, 1, 768, 2, 768]);
    expect(Math.hypot(...(await gemma.embed("the quick")))).toBeCloseTo(1, 4);
  });

  test("a callback that throws fails its own call, not the process", async () => {
    const thrown = new Error("mine");
    const onLogits = () => {
      throw thrown;
    };
    await expect(gemma.score("the quick", { onLogits })).rejects.toBe(thrown);
    expect((await gemma.encode("the")).length).toBeGreaterThan(0);
  });

  test("dispose: calls under way reject, later ones too, twice is once", async () => {
    const loaded = await library.Gemma.load(TINY.gemma3, { backend });
    const generation = loaded.generate("the quick", endless);
    const underWay = expect(generation.result).rejects.toMatchObject({ code: "ERR_DISPOSED" });
    for await (const _ of generation) {
      await Promise.all([loaded.dispose(), loaded.dispose()]);
      break;
    }
    await underWay;
    await loaded.dispose();
    await expect(loaded.score("x")).rejects.toMatchObject({ code: "ERR_DISPOSED" });
  });

  test("a worker that dies rejects every call with ERR_WORKER, at once and later", async () => {
    // The engine's worker is private: it is found by what it is told next.
    const post = vi.spyOn(Worker.prototype, "postMessage");
    const loaded = await library.Gemma.load(TINY.gemma3, { backend });
    const worker = post.mock.contexts.at(-1) as Worker;
    post.mockRestore();
    const generation = loaded.generate("the quick", endless);
    const scored = loaded.score({ ids: new Array(4000).fill(5) });
    const both = Promise.all([
      expect(generation.result).rejects.toMatchObject({ code: "ERR_WORKER" }),
      expect(scored).rejects.toMatchObject({ code: "ERR_WORKER" }),
    ]);
    await worker.terminate();
    await both;
    expect(await loaded.ended).toMatchObject({ code: "ERR_WORKER" });
    await expect(loaded.encode("x")).rejects.toMatchObject({ code: "ERR_WORKER" });
    await loaded.dispose();
  });
});

describe.skipIf(!isLibraryBuilt)("a process", () => {
  const load = `await Gemma.load(${JSON.stringify(TINY.gemma3)}, { backend: "${builtBackends[0]}" })`;

  test("ends by itself after its last await, with the model still loaded", async () => {
    const body = `const gemma = ${load}; console.log((await gemma.generate("the", { maxTokens: 3 }).result).ids.length);`;
    expect(await runScript(body)).toMatchObject({ code: 0, stdout: "3\n", stderr: "" });
  });

  test("stays until a call under way has its answer, awaited or not", async () => {
    const body = `const gemma = ${load};
      gemma.generate("the", { maxTokens: 40, ignoreEos: true }).result.then((r) => console.log(r.ids.length));`;
    expect(await runScript(body)).toMatchObject({ code: 0, stdout: "40\n" });
  });

  test("a failed generation that nobody looks at does not end it", async () => {
    const body = `const gemma = ${load}; gemma.generate("the", { temperature: -1 });
      console.log((await gemma.encode("the")).length > 0);`;
    expect(await runScript(body)).toMatchObject({ code: 0, stdout: "true\n", stderr: "" });
  });
});
