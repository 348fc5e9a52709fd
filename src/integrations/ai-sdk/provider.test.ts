import { NoSuchModelError } from "@ai-sdk/provider";
import { createProviderRegistry, embed, embedMany, generateImage, generateText } from "ai";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { TINY } from "../../../test/helpers/tiny-models.js";
import { Gemma } from "../../runtime/gemma.js";
import { createGemma, type GemmaProvider } from "./index.js";

let model: Gemma;
let gemma: GemmaProvider;
beforeAll(async () => {
  const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 256 } as const;
  model = await Gemma.load(TINY.gemma3, { ...options, adapters: { lora: TINY.adapter } });
  gemma = createGemma(model);
});
afterAll(() => model.dispose());

const greedy = { temperature: 0, maxOutputTokens: 6 };

describe("embeddings", () => {
  test("one and many, with the tokens used", async () => {
    const one = await embed({ model: gemma.embeddingModel(), value: "the quick fox" });
    expect(one.embedding).toEqual([...(await model.embed("the quick fox"))]);
    expect(one.usage.tokens).toBe((await model.encodePrompt("the quick fox")).length);
    const many = await embedMany({ model: gemma.embeddingModel("loaded:lora"), values: ["the quick fox", "dog"] });
    expect(many.embeddings[0]).toEqual([...(await model.embed("the quick fox", { adapter: "lora" }))]);
    expect(many.embeddings[0]).not.toEqual(one.embedding);
    expect(many.embeddings).toHaveLength(2);
  });

  test("other dimensions are a warning", async () => {
    const { warnings } = await gemma.embeddingModel().doEmbed({ values: ["a"], dimensions: 8 });
    expect(warnings).toEqual([
      { type: "unsupported", feature: "dimensions", details: "embeddings have 64 dimensions" },
    ]);
  });
});

describe("models", () => {
  test("by the loaded name, by no name, with an adapter, from a registry", async () => {
    const { name } = model.info;
    const [byName, byNone, tuned] = await Promise.all(
      [gemma(name), gemma(), gemma(`${name}:lora`)].map(async (chosen) => {
        return (await generateText({ model: chosen, prompt: "fox?", ...greedy })).text;
      }),
    );
    expect(byName).toBe(byNone);
    expect(tuned).not.toBe(byName);
    const registry = createProviderRegistry({ gemma });
    const registered = await generateText({
      model: registry.languageModel("gemma:loaded:lora"),
      prompt: "fox?",
      ...greedy,
    });
    expect(registered.text).toBe(tuned);
  });

  test("others do not exist: known at once, or with the first call", async () => {
    for (const id of ["gpt-4", "loaded:nobody", ""]) {
      expect(() => gemma.languageModel(id), id).toThrow(NoSuchModelError);
      expect(() => gemma.embeddingModel(id), id).toThrow(NoSuchModelError);
    }
    expect(() => gemma("loaded:nobody")).toThrow('got "loaded:nobody"; loaded: lora');
    const lazy = createGemma(async () => model);
    await expect(generateText({ model: lazy("gpt-4"), prompt: "a" })).rejects.toThrow(NoSuchModelError);
    const image = async () => generateImage({ model: gemma.imageModel("x"), prompt: "a fox" });
    await expect(image()).rejects.toThrow(NoSuchModelError);
  });

  test("a model is loaded once, by the first call; a load that failed is tried again", async () => {
    const load = vi.fn(async () => model).mockRejectedValueOnce(new Error("no disk"));
    const lazy = createGemma(load);
    const call = () => generateText({ model: lazy(), prompt: "fox?", ...greedy, maxRetries: 0 });
    expect(load).not.toHaveBeenCalled();
    await expect(call()).rejects.toThrow("no disk");
    await Promise.all([call(), call()]);
    expect(load).toHaveBeenCalledTimes(2);
  });
});
