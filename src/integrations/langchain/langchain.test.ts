import { tool } from "@langchain/core/tools";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { TINY } from "../../../test/helpers/tiny-models.js";
import { Gemma } from "../../runtime/gemma.js";
import { ChatGemma, GemmaEmbeddings } from "./index.js";

let gemma: Gemma;
beforeAll(async () => {
  gemma = await Gemma.load(TINY.gemma3, { backend: "reference", activations: "f32", inProcess: true, contextLength: 256, adapters: { lora: TINY.adapter } });
});
afterAll(() => gemma.dispose());

test("x", async () => {
  const model = new ChatGemma({ gemma, temperature: 0, maxTokens: 6 });
  console.log(await model.invoke("fox?"));
  for await (const c of await model.stream("fox?")) console.log(c);
  console.log((await model.batch(["a","b"])).map(x=>x.text));
  const s = model.withStructuredOutput(z.object({ ok: z.boolean(), kind: z.enum(["a","b"]) }));
  console.log(await s.invoke("Once", { maxTokens: 60} as never));
  console.log((await new GemmaEmbeddings({gemma}).embedDocuments(["a"]))[0]!.length);
  console.log(await model.getNumTokens("the fox"));
  for await (const e of model.streamEvents("fox?")) console.log(e);
});
