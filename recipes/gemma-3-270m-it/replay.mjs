// What the base itself writes: plain texts, and yes or no to questions on them. Learned beside the conversations, so that the
// tuned model forgets less of how plain text goes.
//   node recipes/gemma-3-270m-it/replay.mjs --out FILE [--count 300] [--seed 0]
// The same seed gives the same texts on the same backend and instruction set. Needs a build (npm run build).
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Gemma } from "../../dist/index.js";
import { DEFAULT_MODEL } from "../../dist/load/catalogue.js";

/** How texts begin: nothing, or a word or two that settle the language. */
const OPENINGS = {
  en: ["", "", "The ", "In ", "A ", "It ", "When ", "He ", "She ", "This "],
  de: ["Der ", "Die ", "Das ", "Im ", "Ein ", "Es ", "Als ", "Er ", "Sie ", "Nach "],
};
const QUESTIONS = ["is", "are", "was", "does", "did", "can", "has", "do"];
const TEXT_TOKENS = 160;
const QUESTION_TOKENS = 24;

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    count: { type: "string", default: "300" },
    seed: { type: "string", default: "0" },
  },
});
const count = Number(values.count);
if (!values.out || !(count >= 1)) {
  process.stderr.write("usage: node recipes/gemma-3-270m-it/replay.mjs --out FILE [--count 300] [--seed 0]\n");
  process.exit(2);
}

const gemma = await Gemma.load(DEFAULT_MODEL, { contextLength: 512, maxSequences: 16 });
const [yes, no] = (await Promise.all([" yes", " no"].map((text) => gemma.encode(text)))).map((ids) => ids.at(-1));

/** Continues a text as the base would: every token by its probability. */
async function write(start, seed, maxTokens, stop) {
  const { text } = await gemma.generate(start, { temperature: 1, seed, maxTokens, ...(stop ? { stop } : {}) }).result;
  return text;
}

/** Up to the end of its last whole sentence; null where that leaves little. */
function wholeSentences(text) {
  const end = [...text.matchAll(/[.!?]["”“)]?(?=\s|$)/g)].at(-1);
  return end === undefined || end.index < 40 ? null : text.slice(0, end.index + end[0].length);
}

/** A text; every English one with a question and the base's yes or no. */
async function sample(i) {
  const seed = Number(values.seed) * 1_000_000 + 10 * i;
  const language = i % 2 === 0 ? "en" : "de";
  const openings = OPENINGS[language];
  const opening = openings[(i >> 1) % openings.length];
  const text = wholeSentences(`${opening.trimEnd()}${await write(opening.trimEnd(), seed, TEXT_TOKENS)}`.trim());
  if (text === null || language === "de") return text;
  const asked = `${text}\nQuestion: ${QUESTIONS[(i >> 1) % QUESTIONS.length]}`;
  const question = await write(asked, seed + 1, QUESTION_TOKENS, ["?", "\n"]);
  const prompt = `${asked}${question.replace(/[?\n].*$/s, "")}?\nAnswer:`;
  const { after } = await gemma.score(prompt, { after: [yes, no] });
  const [yesLogProb, noLogProb] = after.map(({ logprob }) => logprob);
  const draw = ((seed * 2_654_435_761) % 4_294_967_296) / 4_294_967_296;
  return `${prompt}${draw < 1 / (1 + Math.exp(noLogProb - yesLogProb)) ? " yes" : " no"}`;
}

const texts = await Promise.all(Array.from({ length: count }, (_, i) => sample(i)));
await gemma.dispose();
const kept = texts.filter((text) => text !== null);
writeFileSync(values.out, kept.map((text, i) => `${JSON.stringify({ id: `replay-${i}`, text })}\n`).join(""));
const ending = (answer) => kept.filter((text) => text.endsWith(`\nAnswer: ${answer}`)).length;
process.stdout.write(`${kept.length} texts, ${ending("yes")} of them end with yes, ${ending("no")} with no\n`);
