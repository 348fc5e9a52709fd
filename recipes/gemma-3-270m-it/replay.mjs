// What the base itself writes: plain texts, questions on them, and its answers: yes or no, or in words. Learned beside the
// conversations, so that the tuned model forgets less of how plain text and plain questions go.
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
const CLOSED_QUESTIONS = ["is", "are", "was", "does", "did", "can", "has", "do"];
const OPEN_QUESTIONS = ["What", "Which", "Why", "How", "Who", "Where", "When", "What"];
const TEXT_TOKENS = 160;
const QUESTION_TOKENS = 24;
const ANSWER_TOKENS = 32;

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

/** Continues a text as the base does by default: temperature 1, top-k 64, top-p 0.95. */
async function write(start, seed, maxTokens, stop) {
  const { text } = await gemma.generate(start, { temperature: 1, seed, maxTokens, ...(stop ? { stop } : {}) }).result;
  return text;
}

/** Up to the end of its last whole sentence; null where that leaves little. */
function wholeSentences(text) {
  const end = [...text.matchAll(/[.!?]["”“)]?(?=\s|$)/g)].at(-1);
  return end === undefined || end.index < 40 ? null : text.slice(0, end.index + end[0].length);
}

/** A text; the English ones go on with a question and the base's answer, or are such a question alone. */
async function sample(i) {
  const seed = Number(values.seed) * 1_000_000 + 10 * i;
  const language = i % 2 === 0 ? "en" : "de";
  const openings = OPENINGS[language];
  const turn = i >> 1;
  const opening = openings[turn % openings.length].trimEnd();
  if (language === "en" && turn % 4 === 3) return openAnswer("Question:", turn, seed);
  const text = wholeSentences(`${opening}${await write(opening, seed, TEXT_TOKENS)}`.trim());
  if (text === null || language === "de") return text;
  return (turn % 2 === 0 ? closedAnswer : openAnswer)(`${text}\nQuestion:`, turn, seed);
}

/** The base's question, up to where its answer begins. */
async function ask(start, seed) {
  const question = await write(start, seed + 1, QUESTION_TOKENS, ["?", "\n"]);
  return `${start}${question.replace(/[?\n].*$/s, "")}?\nAnswer:`;
}

/** Yes or no, drawn as the base would. */
async function closedAnswer(start, turn, seed) {
  const prompt = await ask(`${start} ${CLOSED_QUESTIONS[(turn >> 1) % CLOSED_QUESTIONS.length]}`, seed);
  const { after } = await gemma.score(prompt, { after: [yes, no] });
  const [yesLogProb, noLogProb] = after.map(({ logprob }) => logprob);
  const draw = ((seed * 2_654_435_761) % 4_294_967_296) / 4_294_967_296;
  return `${prompt}${draw < 1 / (1 + Math.exp(noLogProb - yesLogProb)) ? " yes" : " no"}`;
}

/** In words; null where the base says nothing. */
async function openAnswer(start, turn, seed) {
  const prompt = await ask(`${start} ${OPEN_QUESTIONS[(turn >> 1) % OPEN_QUESTIONS.length]}`, seed);
  const answer = (await write(prompt, seed + 2, ANSWER_TOKENS, ["\n"])).trim();
  return answer === "" ? null : `${prompt} ${answer}`;
}

const texts = await Promise.all(Array.from({ length: count }, (_, i) => sample(i)));
await gemma.dispose();
const kept = texts.filter((text) => text !== null);
writeFileSync(values.out, kept.map((text, i) => `${JSON.stringify({ id: `replay-${i}`, text })}\n`).join(""));
const ending = (answer) => kept.filter((text) => text.endsWith(`\nAnswer: ${answer}`)).length;
process.stdout.write(`${kept.length} texts, ${ending("yes")} of them end with yes, ${ending("no")} with no\n`);
