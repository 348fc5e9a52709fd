// Draws a small task from Banking77: which of 77 things does a bank's customer want?
//   node recipes/banking-intents/prepare.mjs --data DIR --out DIR [--seed N]
// DIR of --data has the set's own train.csv and test.csv (columns text, category). Needs a build (npm run build).
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { csvRows } from "../../dist/format/csv.js";
import { shuffledIndexes } from "../../dist/tune/data/shuffle.js";

// Of each label.
const SHOTS = 1;
const TRAIN = 12; // 924 in all
const TEST = 4; // 308

const { values } = parseArgs({
  options: { data: { type: "string" }, out: { type: "string" }, seed: { type: "string", default: "0" } },
});
if (!values.data || !values.out) {
  process.stderr.write("usage: node recipes/banking-intents/prepare.mjs --data DIR --out DIR [--seed N]\n");
  process.exit(2);
}

const sameText = (text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

/** `Message: ... Intent:` and the label in words, as a model reads both best. */
const example = ({ text, category }, id) => ({
  id,
  prompt: `Message: ${text.replace(/\s+/g, " ").trim()}\nIntent:`,
  completion: ` ${category.replaceAll("_", " ").replace(/\?$/, "").toLowerCase()}`,
});

/** The rows of each label, in the seed's order. */
function byLabel(name, stream) {
  const path = join(values.data, name);
  const rows = [...csvRows(readFileSync(path, "utf8"), path)];
  const labels = new Map();
  for (const i of shuffledIndexes(rows.length, Number(values.seed), stream)) {
    const { line, row, problem } = rows[i];
    if (!row?.text || !row.category) throw new Error(`${path}:${line}: must have text and category: ${problem}`);
    const entry = { ...row, id: `${name.replace(".csv", "")}-${line}` };
    labels.set(row.category, [...(labels.get(row.category) ?? []), entry]);
  }
  return new Map([...labels].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const seen = new Set();
/** The next `count` rows that say what no row before has said. */
function take(rows, count) {
  const taken = [];
  while (taken.length < count) {
    const row = rows.shift();
    if (row === undefined) throw new Error(`${values.data}: a label must have ${count} rows, got ${taken.length}`);
    if (seen.has(sameText(row.text))) continue;
    seen.add(sameText(row.text));
    taken.push(row);
  }
  return taken;
}

const trainRows = byLabel("train.csv", 0);
const testRows = byLabel("test.csv", 1);
const sets = { "few-shot": [], train: [], test: [] };
for (const rows of testRows.values()) sets.test.push(...take(rows, TEST));
for (const rows of trainRows.values()) {
  sets["few-shot"].push(...take(rows, SHOTS));
  sets.train.push(...take(rows, TRAIN));
}
for (const [name, rows] of Object.entries(sets)) {
  const order = [...shuffledIndexes(rows.length, Number(values.seed), 2)];
  sets[name] = order.map((i) => example(rows[i], rows[i].id));
}

mkdirSync(values.out, { recursive: true });
const files = {};
for (const [name, list] of Object.entries(sets)) {
  const text = list.map((one) => `${JSON.stringify(one)}\n`).join("");
  writeFileSync(join(values.out, `${name}.jsonl`), text);
  files[`${name}.jsonl`] = { examples: list.length, sha256: createHash("sha256").update(text).digest("hex") };
}
const manifest = { seed: Number(values.seed), labels: trainRows.size, files };
writeFileSync(join(values.out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(manifest, null, 2)}\n`);
