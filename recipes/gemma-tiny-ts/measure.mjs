// What the card says of the model: its loss on stories that it has not learned, in bits a byte, and what it writes.
//   node recipes/gemma-tiny-ts/measure.mjs --data DIR [--model NAME]
// DIR of --data is what prepare.mjs wrote. Needs a build (npm run build).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Gemma } from "../../dist/index.js";

/** Tokens that are looked at together, as in training. */
const WINDOW = 512;
const STARTS = [
  "Once upon a time",
  "There was once a poor woodcutter who",
  "Es war einmal ein König, der",
  "Vor vielen Jahren lebte in einem Walde",
];
const QUESTIONS = [
  "Tell me a story about a fox.",
  "Erzähl mir ein Märchen von einer Prinzessin.",
  "Who are you?",
  "Wer bist du?",
];
const SAMPLING = { temperature: 0.7, topK: 40, seed: 1, maxTokens: 120 };

const { values } = parseArgs({
  options: { data: { type: "string" }, model: { type: "string", default: "gemma-tiny-ts" } },
});
if (!values.data) {
  process.stderr.write("usage: node recipes/gemma-tiny-ts/measure.mjs --data DIR [--model NAME]\n");
  process.exit(2);
}
const gemma = await Gemma.load(values.model);
for (const language of ["en", "de"]) {
  const lines = readFileSync(join(values.data, `held-out.${language}.jsonl`), "utf8")
    .trimEnd()
    .split("\n");
  const measured = { stories: lines.length, tokens: 0, bytes: 0, nats: 0 };
  for (const line of lines) await addStory(JSON.parse(line).text, measured);
  const { stories, tokens, bytes, nats } = measured;
  console.log(
    `${language}: ${(nats / Math.LN2 / bytes).toFixed(3)} bits a byte, ${(nats / tokens).toFixed(3)} nats a token, ` +
      `${(bytes / tokens).toFixed(2)} bytes a token; ${stories} stories, ${bytes} bytes`,
  );
}
for (const start of STARTS) console.log(`\n> ${start}\n${start}${await gemma.generate(start, SAMPLING).text()}`);
for (const question of QUESTIONS) console.log(`\n? ${question}\n${await gemma.chat().send(question, SAMPLING).text()}`);
await gemma.dispose();

/** A story in windows of equal lengths, each behind BOS. */
async function addStory(text, sum) {
  const [bos, ...ids] = await gemma.encodePrompt(text);
  const count = Math.ceil(ids.length / (WINDOW - 1));
  for (let i = 0; i < count; i++) {
    const part = ids.slice(Math.round((i * ids.length) / count), Math.round(((i + 1) * ids.length) / count));
    const { logprobs } = await gemma.score({ ids: [bos, ...part] });
    for (const entry of logprobs) sum.nats -= entry?.logprob ?? 0;
  }
  sum.tokens += ids.length;
  sum.bytes += Buffer.byteLength(text);
}
