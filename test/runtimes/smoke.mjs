// Five tokens, streamed and whole: node smoke.mjs MODEL BACKEND. The process has to end by itself.
import { Gemma } from "../../dist/index.js";

const [model, backend] = process.argv.slice(2);
const gemma = await Gemma.load(model, { backend });
const options = { maxTokens: 5, temperature: 0, ignoreEos: true };
let streamed = "";
for await (const piece of gemma.generate("the quick", options)) streamed += piece;
const { ids, text } = await gemma.generate("the quick", options).result;
const again = await gemma.chat().send("fox?", { ...options, stop: "never" }).result;
console.log(
  JSON.stringify({ ids, same: text === streamed, chat: again.ids.length > 0, backend: gemma.info.backend.name }),
);
