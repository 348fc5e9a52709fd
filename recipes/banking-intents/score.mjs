// How often does a model name the right intent? Greedy, exact match.
//   node recipes/banking-intents/score.mjs --data DIR [--shots few-shot.jsonl] [--model NAME] [--adapter DIR] [--items N]
// The base gets an example of each label in front (--shots); the tuned model gets the message alone.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Gemma } from "../../dist/index.js";

const text = { type: "string" };
const { values } = parseArgs({ options: { data: text, shots: text, model: text, adapter: text, items: text } });
if (!values.data) {
  process.stderr.write("usage: node recipes/banking-intents/score.mjs --data DIR [--shots FILE] [--adapter DIR]\n");
  process.exit(2);
}

const rows = (name) =>
  readFileSync(join(values.data, name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const test = rows("test.jsonl").slice(0, Number(values.items ?? Number.POSITIVE_INFINITY));
const labels = new Set(rows("train.jsonl").map(({ completion }) => completion.trim()));
const shots = values.shots === undefined ? [] : rows(values.shots);
const prefix = shots.map(({ prompt, completion }) => `${prompt}${completion}\n\n`).join("");

const gemma = await Gemma.load(values.model, {
  contextLength: 4096,
  ...(values.adapter === undefined ? {} : { adapters: { tuned: values.adapter } }),
});
const adapter = values.adapter === undefined ? {} : { adapter: "tuned" };
let right = 0;
let known = 0;
for (const { prompt, completion } of test) {
  const { result } = gemma.generate(prefix + prompt, { temperature: 0, maxTokens: 16, stop: "\n", ...adapter });
  const answer = (await result).text.trim();
  if (answer === completion.trim()) right++;
  if (labels.has(answer)) known++;
}
await gemma.dispose();

// 95 % Wilson interval
const z = 1.96;
const share = right / test.length;
const middle = (share + z ** 2 / (2 * test.length)) / (1 + z ** 2 / test.length);
const half =
  (z * Math.sqrt((share * (1 - share)) / test.length + z ** 2 / (4 * test.length ** 2))) / (1 + z ** 2 / test.length);
const percent = (value) => Number((100 * value).toFixed(1));
const interval = [percent(middle - half), percent(middle + half)];
process.stdout.write(
  `${JSON.stringify({ items: test.length, shots: shots.length, right, percent: percent(share), interval, answersThatAreLabels: known })}\n`,
);
