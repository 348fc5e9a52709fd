// A chain, structured output and a vector search with LangChain.js, from a model in this process.
//   npm install gemma-ts @langchain/core zod
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { Gemma } from "gemma-ts";
import { ChatGemma, GemmaEmbeddings } from "gemma-ts/langchain";
import { z } from "zod";

await using gemma = await Gemma.load("gemma-3-270m");
const model = new ChatGemma({ gemma, temperature: 0, maxTokens: 64 });

const prompt = ChatPromptTemplate.fromTemplate("Why is {what} {how}?");
const chain = prompt.pipe(model).pipe(new StringOutputParser());
for await (const piece of await chain.stream({ what: "the sky", how: "blue" })) process.stdout.write(piece);

const person = z.object({ name: z.string(), age: z.int().min(0).max(150) });
const { name, age } = await model.withStructuredOutput(person).invoke("Ada is 36 years old.");
console.log("\n", name, age);

const embeddings = new GemmaEmbeddings({ gemma });
const [vector] = await embeddings.embedDocuments(["a fox in the forest"]);
console.log(vector?.length);
