import { getEventListeners } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { control, text } from "../tokenizer/prompt.js";
import { Gemma } from "./gemma.js";

const BOS = 2;
const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 256 } as const;

let gemma: Gemma;
beforeAll(async () => {
  gemma = await Gemma.load(TINY.gemma3, options);
});
afterAll(() => gemma.dispose());

async function collect(pieces: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

describe("load", () => {
  test("says what was loaded, and reports progress in order", async () => {
    const done: number[] = [];
    const loaded = await Gemma.load(TINY.gemma1, { ...options, onProgress: (p) => done.push(p.done / p.total) });
    expect(loaded.info).toMatchObject({
      path: TINY.gemma1,
      backend: { name: "reference", activations: "f32" },
      kv: "f32",
      contextLength: 256,
      chatStyle: "qa",
      config: { vocabSize: 512 },
    });
    expect(done.at(-1)).toBe(1);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    await loaded.dispose();
  });

  test.each([
    ["no such file", "./no/such/model.gguf", {}, "ERR_MISSING_FILE"],
    ["a context that is too long", TINY.gemma3, { contextLength: 1e9 }, "ERR_RANGE"],
    ["an adapter for another base", TINY.gemma3, { adapters: { x: TINY.adapter1 } }, "ERR_BASE_MISMATCH"],
    ["an unknown backend", TINY.gemma3, { backend: "abacus" as never }, "ERR_USAGE"],
  ])("%s: %s", async (_, model, more, code) => {
    await expect(Gemma.load(model, { ...options, ...more })).rejects.toMatchObject({ name: "GemmaError", code });
  });

  test("an aborted signal rejects with its own reason", async () => {
    const reason = { why: "changed my mind" };
    await expect(Gemma.load(TINY.gemma3, { ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const during = Gemma.load(TINY.gemma3, { ...options, signal: controller.signal });
    controller.abort(reason);
    await expect(during).rejects.toBe(reason);
  });

  test("a progress callback that throws fails the load with what it threw", async () => {
    const thrown = new Error("mine");
    const onProgress = () => {
      throw thrown;
    };
    await expect(Gemma.load(TINY.gemma3, { ...options, onProgress })).rejects.toBe(thrown);
  });
});

describe("prompts", () => {
  test("exactly one BOS is put in front of a text, and none in front of ids", async () => {
    const ids = await gemma.encode("the quick brown fox");
    expect(ids).not.toContain(BOS);
    const ofText = await gemma.score("the quick brown fox");
    expect(ofText.ids).toEqual([BOS, ...ids]);
    expect((await gemma.score({ ids })).ids).toEqual(ids);
    expect((await gemma.score([text("the quick"), text(" brown fox")])).ids[0]).toBe(BOS);
    // A BOS that is written out is the one: as a control segment; as text it is only text.
    const written = await gemma.score([control("<bos>"), text("the quick brown fox")]);
    expect(written.ids).toEqual(ofText.ids);
    expect((await gemma.score("<bos>the")).ids.filter((id) => id === BOS)).toHaveLength(1);
  });

  test("encode and decode are each other's inverse; control tokens in text are text unless asked for", async () => {
    const sentence = "the <eos> fox";
    const plain = await gemma.encode(sentence);
    expect(await gemma.decode(plain)).toBe(sentence);
    expect(plain).not.toContain(1);
    expect(await gemma.encode(sentence, { specials: true })).toContain(1);
  });

  test.each([
    ["an empty list", { ids: [] }, "ERR_RANGE"],
    ["an id outside the vocabulary", { ids: [2, 768] }, "ERR_RANGE"],
    ["a fraction", { ids: [2, 1.5] }, "ERR_RANGE"],
    ["more than the context", { ids: new Array(257).fill(5) }, "ERR_CONTEXT_FULL"],
  ])("%s is refused by every call", async (_, prompt, code) => {
    await expect(gemma.generate(prompt).result).rejects.toMatchObject({ code });
    await expect(gemma.score(prompt)).rejects.toMatchObject({ code });
    await expect(gemma.embed(prompt)).rejects.toMatchObject({ code });
  });
});

describe("generate", () => {
  const greedy = { temperature: 0, maxTokens: 12, ignoreEos: true };

  test("the pieces are the result's text; ids decode to it", async () => {
    const generation = gemma.generate("the quick", greedy);
    const pieces = await collect(generation);
    const result = await generation.result;
    expect(pieces.join("")).toBe(result.text);
    expect(await generation.text()).toBe(result.text);
    expect(await gemma.decode(result.ids)).toBe(result.text);
    expect(result).toMatchObject({ finishReason: "length", droppedMessages: 0, timings: { generatedTokens: 12 } });
    expect(result.ids).toHaveLength(12);
    expect(result).not.toHaveProperty("logprobs");
  });

  test("loops over one generation, together or later, all see all pieces", async () => {
    const generation = gemma.generate("the quick", greedy);
    const [a, b] = await Promise.all([collect(generation), collect(generation)]);
    expect(a.join("")).toBe(await generation.text());
    expect(b).toEqual(a);
    expect(await collect(generation)).toEqual(a);
  });

  test("leaving the loop cancels the work", async () => {
    const generation = gemma.generate("the quick", { ...greedy, maxTokens: 200 });
    for await (const piece of generation) {
      expect(piece).not.toBe("");
      break;
    }
    await expect(generation.result).rejects.toMatchObject({ name: "AbortError" });
    expect(await gemma.generate("the quick", { ...greedy, maxTokens: 1 }).result).toMatchObject({
      ids: [expect.any(Number)],
    });
  });

  test("an aborted signal rejects with its own reason: before, during; after the end it does nothing", async () => {
    const reason = Symbol("enough");
    const before = gemma.generate("the quick", { ...greedy, signal: AbortSignal.abort(reason) });
    await expect(before.result).rejects.toBe(reason);
    await expect(collect(before)).rejects.toBe(reason);

    const controller = new AbortController();
    const during = gemma.generate("the quick", { ...greedy, maxTokens: 200, signal: controller.signal });
    const loop = (async () => {
      for await (const _ of during) controller.abort(reason);
    })();
    await expect(loop).rejects.toBe(reason);
    await expect(during.result).rejects.toBe(reason);

    const late = new AbortController();
    const after = gemma.generate("the quick", { ...greedy, signal: late.signal });
    const { ids } = await after.result;
    expect(getEventListeners(late.signal, "abort")).toEqual([]); // a long-lived signal forgets what is over
    late.abort(reason);
    expect((await after.result).ids).toEqual(ids);
  });

  test("a failure reaches the result and each loop, and nobody else", async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", listen);
    gemma.generate("the quick", { temperature: -1 }); // nobody looks at it
    const generation = gemma.generate("the quick", { temperature: -1 });
    const wanted = { code: "ERR_RANGE", message: "temperature must be in 0..100, got -1" };
    await expect(collect(generation)).rejects.toMatchObject(wanted);
    await expect(generation.result).rejects.toMatchObject(wanted);
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off("unhandledRejection", listen);
    expect(unhandled).toEqual([]);
  });

  test("equal seeds give equal texts, other seeds others", async () => {
    const run = (seed: number) => gemma.generate("the quick", { seed, maxTokens: 12, ignoreEos: true }).result;
    const [a, again, b] = await Promise.all([run(1), run(1), run(2)]);
    expect(again.ids).toEqual(a.ids);
    expect(b.ids).not.toEqual(a.ids);
  });

  test("a stop string ends the text in front of it, wherever the tokens' borders lie", async () => {
    const { text: whole, ids } = await gemma.generate("the quick", { ...greedy, maxTokens: 24 }).result;
    for (const n of [2, 5, 9, 14]) {
      const border = (await gemma.decode(ids.slice(0, n))).length;
      const stop = whole.slice(border - 1, border + 2); // the end of one token, the start of the next
      const at = whole.indexOf(stop);
      const generation = gemma.generate("the quick", { ...greedy, maxTokens: 24, stop: ["never seen", stop] });
      const pieces = await collect(generation);
      expect(await generation.result).toMatchObject({ text: whole.slice(0, at), finishReason: "stop" });
      expect(pieces.join("")).toBe(whole.slice(0, at)); // nothing of it was shown
    }
  });

  test("log-probabilities: one a token, the alternatives most likely first", async () => {
    const { ids, logprobs } = await gemma.generate("the quick", { ...greedy, logprobs: 3 }).result;
    expect(logprobs?.map((token) => token.id)).toEqual(ids);
    for (const { id, logprob, top } of logprobs!) {
      expect(top.map((t) => t.logprob)).toEqual(top.map((t) => t.logprob).sort((x, y) => y - x));
      expect(top[0]).toEqual({ id, logprob }); // greedy
    }
  });
});

describe("score", () => {
  test("first, top and logits agree with each other", async () => {
    const prompt = { ids: [2, 5, 9, 33, 70] };
    const all = await gemma.score(prompt, { top: 2 });
    expect(all.ids).toEqual(prompt.ids);
    expect(all.logprobs[0]).toBe(null);
    const seen: [number, Float32Array][] = [];
    const late = await gemma.score(prompt, { first: 2, top: 2, onLogits: (at, logits) => seen.push([at, logits]) });
    expect(late.logprobs).toEqual([null, null, null, ...all.logprobs.slice(3)]);
    expect(seen.map(([at]) => at)).toEqual([2, 3, 4]);
    for (const [at, logits] of seen.slice(0, -1)) {
      const sum = logits.reduce((total, x) => total + Math.exp(x), 0);
      expect(late.logprobs[at + 1]!.logprob).toBeCloseTo(logits[prompt.ids[at + 1]!]! - Math.log(sum), 4);
    }
  });

  test.each([{ first: -1 }, { first: 16 }, { first: 0.5 }, { top: -1 }, { top: 769 }])("%j is refused", async (bad) => {
    const prompt = { ids: [2, ...new Array(15).fill(7)] };
    await gemma.score(prompt); // remembered: all of it is in the cache now
    await expect(gemma.score(prompt, bad)).rejects.toMatchObject({ code: "ERR_RANGE" });
  });

  test("a logits callback that throws fails its own call", async () => {
    const thrown = new Error("mine");
    const other = gemma.score("the quick brown");
    const onLogits = () => {
      throw thrown;
    };
    await expect(gemma.score("the quick", { onLogits })).rejects.toBe(thrown);
    expect((await other).logprobs).toHaveLength((await other).ids.length);
  });

  test("an abort rejects with its reason", async () => {
    const controller = new AbortController();
    const scored = gemma.score({ ids: new Array(200).fill(5) }, { signal: controller.signal });
    controller.abort("no longer needed");
    await expect(scored).rejects.toBe("no longer needed");
  });
});

describe("embed", () => {
  test("length 1, of the model's width, alike for alike texts", async () => {
    const [a, b, again] = await Promise.all(["the quick", "5 fox", "the quick"].map((t) => gemma.embed(t)));
    expect(a).toBeInstanceOf(Float32Array);
    expect(a).toHaveLength(gemma.info.config.hiddenSize);
    expect(Math.hypot(...a!)).toBeCloseTo(1, 5);
    expect(again).toEqual(a);
    expect(b).not.toEqual(a);
  });
});

describe("dispose", () => {
  test("calls under way reject, later ones too, twice is once", async () => {
    const loaded = await Gemma.load(TINY.gemma3, options);
    const generation = loaded.generate("the quick", { maxTokens: 200, ignoreEos: true });
    const underWay = expect(generation.result).rejects.toMatchObject({ code: "ERR_DISPOSED" });
    await Promise.all([loaded.dispose(), loaded.dispose()]);
    await underWay;
    await loaded.dispose();
    const disposed = { code: "ERR_DISPOSED" };
    await expect(loaded.generate("x").result).rejects.toMatchObject(disposed);
    await expect(collect(loaded.chat().send("x"))).rejects.toMatchObject(disposed);
    await expect(loaded.score("x")).rejects.toMatchObject(disposed);
    await expect(loaded.encode("x")).rejects.toMatchObject(disposed);
    await expect(loaded.addAdapter("x", TINY.adapter)).rejects.toMatchObject(disposed);
  });

  test("await using disposes at the end of its block", async () => {
    let kept: Gemma;
    {
      await using loaded = await Gemma.load(TINY.gemma3, options);
      kept = loaded;
      expect((await kept.encode("the")).length).toBeGreaterThan(0);
    }
    await expect(kept.encode("the")).rejects.toMatchObject({ code: "ERR_DISPOSED" });
  });
});

test("tokens of a generation come with ids and log-probabilities; their bytes make up the text", async () => {
  const generation = gemma.generate({ ids: [2, 5, 9] }, { temperature: 0, maxTokens: 5, ignoreEos: true, logprobs: 1 });
  const pieces = [];
  for await (const piece of generation.tokens()) pieces.push(piece);
  const { ids, text, logprobs } = await generation.result;
  expect(pieces.flatMap(({ id }) => id ?? [])).toEqual(ids);
  expect(pieces.flatMap(({ logprob }) => logprob ?? [])).toEqual(logprobs);
  expect(pieces.map((piece) => piece.text).join("")).toBe(text);
  const bytes = await gemma.tokenBytes(ids);
  expect(Buffer.concat(bytes).toString("utf8").trimStart()).toBe(text.trimStart());
  await expect(gemma.tokenBytes([1 << 20])).rejects.toMatchObject({ code: "ERR_RANGE" });
});
