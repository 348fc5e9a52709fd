// Text, an object by a schema and embeddings through the Vercel AI SDK, from a model in this process.
//   npm install gemma-ts ai @ai-sdk/provider zod
import { cosineSimilarity, embedMany, generateText, Output, streamText } from "ai";
import { Gemma } from "gemma-ts";
import { createGemma } from "gemma-ts/ai-sdk";
import { z } from "zod";

await using model = await Gemma.load("gemma-3-270m");
const gemma = createGemma(model);

const { textStream } = streamText({ model: gemma(), prompt: "Why is the sky blue?", maxOutputTokens: 64 });
for await (const delta of textStream) process.stdout.write(delta);

const { output, usage } = await generateText({
  model: gemma(),
  prompt: "Ada is 36 years old.",
  temperature: 0,
  output: Output.object({ schema: z.object({ name: z.string(), age: z.int().min(0).max(150) }) }),
  providerOptions: { gemma: { repetitionPenalty: 1.1 } }, // what the SDK has no name for
});
console.log("\n", output.name, output.age, usage.inputTokenDetails.cacheReadTokens);

const values = ["a fox in the forest", "a dog in the garden", "the price of copper"];
const [fox, dog, copper] = (await embedMany({ model: gemma.embeddingModel(), values })).embeddings;
console.log(cosineSimilarity(fox!, dog!), cosineSimilarity(fox!, copper!));
