import {
  createProviderRegistry,
  embed,
  embedMany,
  generateObject,
  generateText,
  Output,
  streamObject,
  streamText,
} from "ai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { TINY } from "../../../test/helpers/tiny-models.js";
import { Gemma } from "../../runtime/gemma.js";
import { createGemma } from "./index.js";

// Through the SDK's own functions, on a random model that writes nonsense.

let model: Gemma;
beforeAll(async () => {
  model = await Gemma.load(TINY.gemma3, {
    backend: "reference",
    activations: "f32",
    inProcess: true,
    contextLength: 256,
    adapters: { lora: TINY.adapter },
  });
});
afterAll(() => model.dispose());

const greedy = { temperature: 0, maxOutputTokens: 6 };

test("x", async () => {
  const gemma = createGemma(model);
  const r = await generateText({ model: gemma(), prompt: "fox?", ...greedy });
  console.log(
    r.text,
    r.usage,
    r.finishReason,
    r.warnings,
    r.response,
    r.providerMetadata,
    model.info.name,
    model.info.chatStyle,
  );
  const s = streamText({ model: gemma(), prompt: "fox?", ...greedy });
  for await (const p of s.fullStream) console.log(p);
  const o = await generateObject({
    model: gemma(),
    schema: z.object({ ok: z.boolean(), kind: z.enum(["a", "b"]) }),
    prompt: "Once",
    seed: 1,
  });
  console.log(o.object, o.usage, o.warnings);
  const e = await embedMany({ model: gemma.embeddingModel(), values: ["a", "the quick fox"] });
  console.log(e.embeddings[0]!.length, e.usage, e.warnings);
});
