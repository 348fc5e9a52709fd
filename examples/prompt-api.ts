// Code that was written for the browser's Prompt API, on a model of one's own.
//   npm install gemma-ts
import { Gemma } from "gemma-ts";
import { createLanguageModel } from "gemma-ts/prompt-api";

const LanguageModel = createLanguageModel((options) => Gemma.load("gemma-3-270m", options), { maxTokens: 64 });
console.log(await LanguageModel.availability()); // "downloadable": nothing is loaded before the first session

const session = await LanguageModel.create({
  initialPrompts: [{ role: "system", content: "Answer briefly." }],
  monitor(monitor) {
    monitor.addEventListener("downloadprogress", (event) => console.log("loaded", (event as ProgressEvent).loaded));
  },
});
for await (const piece of session.promptStreaming("Why is the sky blue?")) process.stdout.write(piece);

const date = await session.prompt("When did people first walk on the Moon?", {
  responseConstraint: /^\d{4}-\d{2}-\d{2}$/,
});
console.log("\n", date, `${session.contextUsage} of ${session.contextWindow} tokens used`);
session.destroy();
