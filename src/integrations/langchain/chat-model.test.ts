import { InMemoryCache } from "@langchain/core/caches";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { ContextOverflowError } from "@langchain/core/errors";
import { AIMessage, type AIMessageChunk, HumanMessage, SystemMessage } from "@langchain/core/messages";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { TINY } from "../../../test/helpers/tiny-models.js";
import { Gemma } from "../../runtime/gemma.js";
import { ChatGemma, GemmaEmbeddings } from "./index.js";

// Through LangChain's own methods, on a random model that writes nonsense.

let gemma: Gemma;
let model: ChatGemma;
beforeAll(async () => {
  gemma = await Gemma.load(TINY.gemma3, {
    backend: "reference",
    activations: "f32",
    inProcess: true,
    contextLength: 256,
    adapters: { lora: TINY.adapter },
  });
  model = new ChatGemma({ gemma, temperature: 0, maxTokens: 6 });
});
afterAll(() => gemma.dispose());

const shape = z.object({ ok: z.boolean(), kind: z.enum(["a", "b"]) });
const answered = async (content: string, more = {}) =>
  (await gemma.answer([{ role: "user", content }], { temperature: 0, maxTokens: 6, ...more }).result).text;

describe("text", () => {
  test("invoke answers as gemma.answer does, with usage and reason", async () => {
    const message = await model.invoke("fox?");
    expect(message).toBeInstanceOf(AIMessage);
    expect(message.text).toBe(await answered("fox?"));
    const tokens = await gemma.countTokens([{ role: "user", content: "fox?" }]);
    expect(message.usage_metadata).toMatchObject({
      input_tokens: tokens,
      output_tokens: 6,
      total_tokens: tokens + 6,
      input_token_details: { cache_read: expect.any(Number) },
    });
    expect(message.response_metadata).toMatchObject({ finish_reason: "length", model_name: gemma.info.name });
  });

  test("stream gives the same in pieces; their sum is the message", async () => {
    const chunks: AIMessageChunk[] = [];
    for await (const chunk of await model.stream("fox?")) chunks.push(chunk);
    expect(chunks.length).toBeGreaterThan(2);
    const { text, usage_metadata, response_metadata } = chunks.reduce((sum, chunk) => sum.concat(chunk));
    const whole = await model.invoke("fox?");
    expect(text).toBe(whole.text);
    expect(usage_metadata).toMatchObject({ output_tokens: 6 });
    expect(response_metadata).toMatchObject({ finish_reason: "length", model_name: gemma.info.name });
  });

  test("events and callbacks of a chain see the pieces", async () => {
    const chain = ChatPromptTemplate.fromMessages([
      ["system", "Be brief."],
      ["human", "{animal}?"],
    ])
      .pipe(model)
      .pipe(new StringOutputParser());
    const pieces: string[] = [];
    const events = chain.streamEvents({ animal: "fox" }, { version: "v2" });
    for await (const { event, data } of events) if (event === "on_chat_model_stream") pieces.push(data.chunk.text);
    const tokens: string[] = [];
    const handler = BaseCallbackHandler.fromMethods({ handleLLMNewToken: (token) => void tokens.push(token) });
    Object.assign(handler, { lc_prefer_streaming: true });
    const text = await chain.invoke({ animal: "fox" }, { callbacks: [handler] });
    expect(pieces.join("")).toBe(text);
    expect(tokens.join("")).toBe(text);
    expect(await model.streamEvents("fox?").text).toBe(await answered("fox?"));
  });

  test("batch computes its prompts together", async () => {
    const texts = (await model.batch(["fox?", "dog?"])).map(({ text }) => text);
    expect(texts).toEqual([await answered("fox?"), await answered("dog?")]);
  });

  test("a conversation; blocks of text are joined, thoughts are left out", async () => {
    const answer = vi.spyOn(gemma, "answer");
    await model.invoke([
      new SystemMessage("Be brief."),
      new HumanMessage({
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      }),
      new AIMessage({
        content: [
          { type: "reasoning", reasoning: "hm" },
          { type: "text", text: "c" },
        ],
      }),
      { role: "user", content: "d" },
    ]);
    expect(answer.mock.lastCall![0]).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "a\nb" },
      { role: "assistant", content: "c" },
      { role: "user", content: "d" },
    ]);
    answer.mockRestore();
  });

  test("settings of the model, and of a call over them", async () => {
    const tuned = new ChatGemma({ gemma, temperature: 0, maxTokens: 6, adapter: "lora", stop: ["zzz"] });
    expect((await tuned.invoke("fox?")).text).toBe(await answered("fox?", { adapter: "lora" }));
    const answer = vi.spyOn(gemma, "answer");
    await tuned.withConfig({ seed: 5, maxTokens: 3 }).invoke("fox?", { topK: 7, stop: ["yyy"] });
    expect(answer.mock.lastCall![1]).toMatchObject({
      temperature: 0,
      maxTokens: 3,
      adapter: "lora",
      seed: 5,
      topK: 7,
      stop: ["yyy"],
    });
    answer.mockRestore();
  });
});

describe("structured output", () => {
  const once = () => new ChatGemma({ gemma, seed: 1 });

  test("by the text, which a grammar holds to the schema", async () => {
    expect(shape.parse(await once().withStructuredOutput(shape).invoke("Once"))).toBeDefined();
    const jsonSchema = { title: "s", type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
    const plain = await once().withStructuredOutput<{ ok: boolean }>(jsonSchema).invoke("Once");
    expect(plain.ok).toBeTypeOf("boolean");
    const { raw, parsed } = await once().withStructuredOutput(shape, { includeRaw: true }).invoke("Once");
    expect(JSON.parse(raw.text)).toEqual(parsed);
  });

  test("jsonMode: any object, cut here by maxTokens", async () => {
    const cut = new ChatGemma({ gemma, seed: 1, maxTokens: 4 });
    const { raw } = await cut.withStructuredOutput(shape, { method: "jsonMode", includeRaw: true }).invoke("Once");
    expect(raw.text).toMatch(/^\{/);
    expect(() => cut.withStructuredOutput(shape, { method: "guess" })).toThrow('got "guess"');
  });
});

describe("around it", () => {
  test("tokens are counted by the model's tokenizer", async () => {
    expect(await model.getNumTokens("the fox")).toBe((await gemma.encode("the fox")).length);
    expect(model.profile).toMatchObject({ maxInputTokens: 256, toolCalling: true, structuredOutput: true });
  });

  test("a cache tells settings apart", async () => {
    const cache = new InMemoryCache();
    const answer = vi.spyOn(gemma, "answer");
    const cached = (settings: object) =>
      new ChatGemma({ gemma, cache, temperature: 0, maxTokens: 3, ...settings }).invoke("fox?");
    const texts = [(await cached({})).text, (await cached({})).text, (await cached({ adapter: "lora" })).text];
    expect(answer).toHaveBeenCalledTimes(2);
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).not.toBe(texts[0]);
    answer.mockRestore();
  });

  test("embeddings", async () => {
    const embeddings = new GemmaEmbeddings({ gemma });
    expect(await embeddings.embedQuery("fox")).toEqual([...(await gemma.embed("fox"))]);
    const [fox, dog] = await new GemmaEmbeddings({ gemma: async () => gemma, adapter: "lora" }).embedDocuments([
      "fox",
      "dog",
    ]);
    expect(fox).toEqual([...(await gemma.embed("fox", { adapter: "lora" }))]);
    expect(dog).toHaveLength(64);
  });

  test("a model is loaded by the first call", async () => {
    const load = vi.fn(async () => gemma);
    const lazy = new ChatGemma({ gemma: load, temperature: 0, maxTokens: 6 });
    expect(lazy.profile).not.toHaveProperty("maxInputTokens");
    expect(load).not.toHaveBeenCalled();
    expect((await lazy.invoke("fox?")).text).toBe(await answered("fox?"));
  });
});

describe("what goes wrong", () => {
  const endless = () => new ChatGemma({ gemma, temperature: 0, logitBias: { 1: -1e6 } });

  test("an abort ends the work", async () => {
    const answer = vi.spyOn(gemma, "answer");
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    await expect(endless().invoke("fox?", { signal: controller.signal })).rejects.toThrow(/abort/i);
    await expect(answer.mock.results.at(-1)!.value.result).rejects.toMatchObject({
      name: "AbortError",
    });

    const second = new AbortController();
    const loop = async () => {
      for await (const _ of await endless().stream("fox?", { signal: second.signal })) second.abort();
    };
    await expect(loop()).rejects.toThrow(/abort/i);
    await expect(answer.mock.results.at(-1)!.value.result).rejects.toMatchObject({ name: "AbortError" });
    answer.mockRestore();
  });

  test("leaving the loop cancels the generation", async () => {
    const answer = vi.spyOn(gemma, "answer");
    for await (const _ of await endless().stream("fox?")) break;
    await expect(answer.mock.results[0]!.value.result).rejects.toMatchObject({ name: "AbortError" });
    answer.mockRestore();
  });

  test("a full context is LangChain's own error; others keep their codes", async () => {
    const long = "the quick brown fox ".repeat(100);
    await expect(model.invoke(long)).rejects.toThrow(ContextOverflowError);
    await expect(model.stream(long).then((s) => s.next())).rejects.toThrow(ContextOverflowError);
    await expect(model.invoke("a", { temperature: -1 })).rejects.toMatchObject({ code: "ERR_RANGE" });
    const image = new HumanMessage({ content: [{ type: "image_url", image_url: "data:," }] });
    await expect(model.invoke([image])).rejects.toThrow("messages[0]: must be text, got image_url");
  });
});
