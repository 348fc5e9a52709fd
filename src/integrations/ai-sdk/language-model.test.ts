import { UnsupportedFunctionalityError } from "@ai-sdk/provider";
import { generateObject, generateText, Output, streamObject, streamText } from "ai";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { TINY } from "../../../test/helpers/tiny-models.js";
import { Gemma } from "../../runtime/gemma.js";
import { createGemma, type GemmaProvider } from "./index.js";

// Through the SDK's own functions, on a random model that writes nonsense.

let model: Gemma;
let gemma: GemmaProvider;
beforeAll(async () => {
  globalThis.AI_SDK_LOG_WARNINGS = false; // they are looked at here
  model = await Gemma.load(TINY.gemma3, {
    backend: "reference",
    activations: "f32",
    inProcess: true,
    contextLength: 256,
  });
  gemma = createGemma(model);
});
afterAll(() => model.dispose());

const greedy = { temperature: 0, maxOutputTokens: 6 };
const FOX = [{ role: "user", content: "fox?" }] as const;
const shape = z.object({ ok: z.boolean(), kind: z.enum(["a", "b"]) });
const file = (mediaType: string, data: string) => ({ type: "file", mediaType, data: Buffer.from(data) }) as const;

describe("text", () => {
  test("generateText answers as gemma.answer does, with usage, reason and metadata", async () => {
    const plain = await model.answer(FOX, { temperature: 0, maxTokens: 6 }).result;
    const result = await generateText({ model: gemma(), messages: [...FOX], ...greedy });
    expect(result.text).toBe(plain.text);
    expect([result.finishReason, result.rawFinishReason]).toEqual(["length", "length"]);
    const { promptTokens } = plain.timings;
    expect(result.usage).toMatchObject({ inputTokens: promptTokens, outputTokens: 6, totalTokens: promptTokens + 6 });
    expect(result.usage.outputTokenDetails).toEqual({ textTokens: 6, reasoningTokens: 0 });
    const { noCacheTokens, cacheReadTokens } = result.usage.inputTokenDetails;
    expect(cacheReadTokens).toBeGreaterThan(0); // the same prompt was there before
    expect(noCacheTokens! + cacheReadTokens!).toBe(promptTokens);
    expect(result.response).toMatchObject({ id: expect.any(String), timestamp: expect.any(Date) });
    expect(result.response.modelId).toBe(model.info.name);
    expect(result.providerMetadata).toEqual({ gemma: { droppedMessages: 0 } });
    expect(result.warnings).toEqual([]);
  });

  test("streamText streams the same, in parts in their order", async () => {
    const { text } = await generateText({ model: gemma(), prompt: "fox?", ...greedy });
    const streamed = streamText({ model: gemma(), prompt: "fox?", ...greedy });
    const deltas: string[] = [];
    for await (const delta of streamed.textStream) deltas.push(delta);
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.join("")).toBe(text);
    expect(await streamed.finishReason).toBe("length");
    expect((await streamed.usage).outputTokens).toBe(6);

    const { stream } = await gemma().doStream({ prompt: toPrompt("fox?"), ...greedy });
    const parts = await collect(stream);
    const types = parts.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);
    expect(types).toEqual(["stream-start", "response-metadata", "text-start", "text-delta", "text-end", "finish"]);
  });

  test("an answer of no text is no part", async () => {
    const none = { prompt: toPrompt("fox?"), maxOutputTokens: 0 };
    expect((await gemma().doGenerate(none)).content).toEqual([]);
    const { stream } = await gemma().doStream(none);
    expect((await collect(stream)).map(({ type }) => type)).toEqual(["stream-start", "response-metadata", "finish"]);
  });

  test("every option reaches the engine", async () => {
    const given = {
      maxOutputTokens: 9,
      temperature: 0.7,
      topK: 7,
      topP: 0.5,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      stopSequences: ["zzz"],
      seed: 5,
    };
    const answer = vi.spyOn(model, "answer");
    const providerOptions = { gemma: { minP: 0.01, repetitionPenalty: 1.1 } };
    const texts = [];
    for (let i = 0; i < 2; i++)
      texts.push((await generateText({ model: gemma(), prompt: "a", ...given, providerOptions })).text);
    expect(texts[1]).toBe(texts[0]); // by the seed
    expect(answer.mock.lastCall![1]).toMatchObject({
      maxTokens: 9,
      temperature: 0.7,
      topK: 7,
      topP: 0.5,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      stop: ["zzz"],
      seed: 5,
      minP: 0.01,
      repetitionPenalty: 1.1,
    });
    answer.mockRestore();
    const { text } = await generateText({ model: gemma(), prompt: "fox?", ...greedy });
    const stop = [...text][2]!;
    const stopped = await generateText({ model: gemma(), prompt: "fox?", ...greedy, stopSequences: [stop] });
    expect([stopped.text, stopped.finishReason]).toEqual([text.slice(0, text.indexOf(stop)), "stop"]);
  });

  test("a conversation, with a file of text in it", async () => {
    const answer = vi.spyOn(model, "answer");
    await generateText({
      model: gemma(),
      system: "Be brief.",
      messages: [
        {
          role: "user",
          content: [{ type: "text", text: "Read:" }, file("text/plain", "a fox"), file("application/json", "{}")],
        },
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "hm" },
            { type: "text", text: "Yes." },
          ],
        },
        { role: "user", content: "And?" },
      ],
      ...greedy,
    });
    expect(answer.mock.lastCall![0]).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Read:\na fox\n{}" },
      { role: "assistant", content: "Yes." },
      { role: "user", content: "And?" },
    ]);
    answer.mockRestore();
  });
});

describe("JSON", () => {
  test("by a schema", async () => {
    const options = { model: gemma(), prompt: "Once", seed: 1 };
    const { output, text } = await generateText({ ...options, output: Output.object({ schema: shape }) });
    expect(output).toEqual(shape.parse(JSON.parse(text)));
    const { object } = await generateObject({ ...options, schema: shape });
    expect(object).toEqual(output);
    const partial: unknown[] = [];
    const streamed = streamObject({ ...options, schema: shape });
    for await (const part of streamed.partialObjectStream) partial.push(part);
    expect(partial.length).toBeGreaterThan(2);
    expect(await streamed.object).toEqual(output);
  });

  test("without one: any object", async () => {
    const { text } = await generateText({
      model: gemma(),
      prompt: "Once",
      seed: 1,
      maxOutputTokens: 5,
      output: Output.json(),
    }).catch((error) => error);
    expect(text).toMatch(/^\{/);
  });

  test("a schema that is not supported fails the call and says which keyword", async () => {
    const schema = z.object({ at: z.iso.date() });
    const call = generateText({ model: gemma(), prompt: "Once", output: Output.object({ schema }) });
    await expect(call).rejects.toMatchObject({ code: "ERR_SCHEMA" });
  });
});

describe("what goes wrong", () => {
  const endless = { prompt: "fox?", temperature: 0, providerOptions: { gemma: { ignoreEos: true } } };

  test("an abort ends the work, and comes as one", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    const call = generateText({ model: gemma(), ...endless, abortSignal: controller.signal });
    await expect(call).rejects.toMatchObject({ name: "AbortError" });

    const second = new AbortController();
    const onAbort = vi.fn();
    const onError = vi.fn();
    const streamed = streamText({ model: gemma(), ...endless, abortSignal: second.signal, onAbort, onError });
    let deltas = 0;
    for await (const part of streamed.stream) if (part.type === "text-delta" && ++deltas === 2) second.abort();
    expect(deltas).toBeLessThan(50);
    expect([onAbort.mock.calls.length, onError.mock.calls.length]).toEqual([1, 0]);
  });

  test("a stream that is cancelled cancels the generation", async () => {
    const answer = vi.spyOn(model, "answer");
    const { stream } = await gemma().doStream({ ...endless, prompt: toPrompt("fox?") });
    const reader = stream.getReader();
    for (let i = 0; i < 4; i++) await reader.read();
    await reader.cancel();
    await expect(answer.mock.results[0]!.value.result).rejects.toMatchObject({ name: "AbortError" });
    answer.mockRestore();
  });

  test("before the first text: the call rejects; behind it: an error, and the end", async () => {
    const call = gemma().doStream({ prompt: toPrompt("fox "), temperature: -1 });
    await expect(call).rejects.toMatchObject({ code: "ERR_RANGE" });
    const other = await Gemma.load(TINY.gemma1, { backend: "reference", activations: "f32", inProcess: true });
    const { stream } = await createGemma(other)().doStream({ ...endless, prompt: toPrompt("fox?") });
    const parts = [];
    for await (const part of stream) {
      parts.push(part);
      if (part.type === "text-delta") void other.dispose();
    }
    expect(parts.slice(-2)).toMatchObject([
      { type: "error", error: { code: "ERR_DISPOSED" } },
      { type: "finish", finishReason: { unified: "error" } },
    ]);
  });

  test("images are refused; other things that are not supported are warnings", async () => {
    const image = generateText({
      model: gemma(),
      messages: [{ role: "user", content: [file("image/png", "x")] }],
      ...greedy,
    });
    await expect(image).rejects.toThrow(UnsupportedFunctionalityError);
    const { warnings } = await gemma().doGenerate({
      prompt: [
        { role: "user", content: [{ type: "text", text: "a" }] },
        { role: "assistant", content: [{ type: "reasoning", text: "hm" }] },
        { role: "user", content: [{ type: "text", text: "b" }] },
      ],
      ...greedy,
      reasoning: "high",
      tools: [{ type: "provider", id: "openai.web_search", name: "search", args: {} }],
      providerOptions: { gemma: { warp: 9 } },
    });
    expect(warnings).toEqual([
      { type: "unsupported", feature: "reasoning in a prompt", details: "it was left out" },
      { type: "unsupported", feature: "provider-defined tool openai.web_search" },
      { type: "unsupported", feature: "reasoning" },
      { type: "unsupported", feature: "providerOptions.gemma.warp" },
    ]);
  });

  test("turns that are left out are a warning, and counted", async () => {
    const long = Array.from({ length: 9 }, (_, i) => {
      return {
        role: i % 2 === 0 ? ("user" as const) : ("assistant" as const),
        content: "the quick brown fox jumps over",
      };
    });
    const result = await generateText({ model: gemma(), messages: long, ...greedy });
    expect(result.warnings).toEqual([{ type: "other", message: expect.stringContaining("left out") }]);
    expect(result.providerMetadata?.gemma?.droppedMessages).toBeGreaterThan(0);
    const streamed = streamText({ model: gemma(), messages: long, ...greedy });
    expect(await streamed.warnings).toEqual(result.warnings);
  });
});

function toPrompt(text: string) {
  return [{ role: "user" as const, content: [{ type: "text" as const, text }] }];
}

async function collect<T>(stream: ReadableStream<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const part of stream) all.push(part);
  return all;
}
