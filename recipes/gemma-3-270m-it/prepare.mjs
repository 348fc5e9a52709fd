// Makes the training set: the project's own conversations, and those of a data folder's tuning/ that serve.
//   node recipes/gemma-3-270m-it/prepare.mjs --data DIR --out DIR [--seed N]
// DIR of --data has tuning/, and benchmarks/ and safety/, whose items are kept out. Needs a build (npm run build).
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DEFAULT_MODEL } from "../../dist/load/catalogue.js";
import { openTokenizer } from "../../dist/load/open-tokenizer.js";
import { resolveModel } from "../../dist/load/pull.js";
import { encodeExamples } from "../../dist/tune/data/encode-examples.js";
import { fileSource } from "../../dist/tune/data/file-source.js";
import { readExamples } from "../../dist/tune/data/read-examples.js";
import { shuffledIndexes } from "../../dist/tune/data/shuffle.js";
import { repetitions, testItems, words } from "./lib/overlap.mjs";
import { copiesOf, LEFT_OUT, MAX_TOKENS, OWN, OWN_FOLDER, SOURCES } from "./lib/sources.mjs";

/** Of each language, for the instructions that are answered and judged. */
const INSTRUCTIONS = 50;
/** Share of each source whose loss is measured. */
const LOSS_SHARE = 0.05;

/** Own kinds whose answers are code, figures or labels, or another language's words: no language to tell. */
const NO_LANGUAGE = /^(math|code|classify|reading|rewrite|turns)-/;

const { values } = parseArgs({
  options: { data: { type: "string" }, out: { type: "string" }, seed: { type: "string", default: "0" } },
});
if (!values.data || !values.out) {
  process.stderr.write("usage: node recipes/gemma-3-270m-it/prepare.mjs --data DIR --out DIR [--seed N]\n");
  process.exit(2);
}
const seed = Number(values.seed);
const jsonLines = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .map((name) => join(folder, name));
const tokenizer = openTokenizer((await resolveModel(DEFAULT_MODEL)).path);

/** The conversations of a file, each with its tokens. Throws for a file with a broken line. */
async function read(path, source) {
  const { examples } = await readExamples([await fileSource(path)]);
  const encoded = await encodeExamples(examples, tokenizer, { template: "gemma", maxLength: 1 << 20 });
  const rows = readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  return rows.map(({ id, lang, messages }, i) => {
    const [{ ids, targets }] = encoded.examples[i].sequences;
    return { id, lang, source: source.name, messages, tokens: ids.length, targets };
  });
}

const counts = {};
const pool = [];
for (const source of [OWN, ...SOURCES]) {
  const paths = source === OWN ? jsonLines(OWN_FOLDER) : [join(values.data, "tuning", `${source.name}.jsonl`)];
  const all = (await Promise.all(paths.map((path) => read(path, source)))).flat();
  const fits = all.filter(({ tokens }) => tokens <= (source.maxTokens ?? MAX_TOKENS));
  const kept = fits.filter(source.keep ?? (() => true));
  const drawn = [...shuffledIndexes(kept.length, seed).subarray(0, source.limit ?? kept.length)].sort((a, b) => a - b);
  pool.push(...drawn.map((i) => kept[i]));
  counts[source.name] = {
    licence: source.licence,
    ...{ read: all.length, tooLong: all.length - fits.length, refused: fits.length - kept.length },
    notDrawn: kept.length - drawn.length,
  };
}

const repeated = repetitions(pool);
const tests = testItems(
  ["benchmarks", "safety"].flatMap((name) => jsonLines(join(values.data, name))),
  pool,
);
const usable = pool.filter((one) => !repeated.has(one) && !tests.has(one));

/** The first `count` in the seed's order. */
const draw = (from, count, stream) =>
  [...shuffledIndexes(from.length, seed, stream)].slice(0, count).map((i) => from[i]);

/** Whether it is short, free of others' terms, and its answer has enough words to tell their language. */
function isPlainInstruction({ source, id, lang, messages }) {
  if (messages.length !== 2 || (source === OWN.name && NO_LANGUAGE.test(id))) return false;
  if (source !== OWN.name && (lang !== "en" || source !== "llms_from_scratch_instructions")) return false;
  const [{ content: asked }, { content: answer }] = messages;
  return words(answer).length >= 5 && !/translat|übersetz|auf englisch|in german|languages?\b|sprache/i.test(asked);
}
const instructions = ["en", "de"].flatMap((lang, stream) =>
  draw(
    usable.filter((one) => one.lang === lang && isPlainInstruction(one)),
    INSTRUCTIONS,
    1 + stream,
  ),
);
const rest = usable.filter((one) => !instructions.includes(one));
const heldOut = [OWN, ...SOURCES].flatMap(({ name }, i) => {
  const from = rest.filter(({ source }) => source === name);
  return draw(from, Math.round(LOSS_SHARE * from.length), 10 + i);
});
const train = rest.flatMap((one) => {
  if (heldOut.includes(one)) return [];
  return Array.from({ length: copiesOf(one) }, () => one);
});

const sum = (list, key) => list.reduce((total, one) => total + one[key], 0);
for (const [name, count] of Object.entries(counts)) {
  const of = (list) => list.filter(({ source }) => source === name);
  const learned = of(train);
  Object.assign(count, {
    ...{ repeated: of([...repeated.keys()]).length, testItems: of([...tests.keys()]).length },
    ...{ instructions: of(instructions).length, heldOut: of(heldOut).length, train: learned.length },
    ...{ tokens: sum(learned, "tokens"), targets: sum(learned, "targets") },
    ...{ english: learned.filter(({ lang }) => lang === "en").length },
    ...{ german: learned.filter(({ lang }) => lang === "de").length },
  });
}

mkdirSync(values.out, { recursive: true });
const files = {};
for (const [name, list] of Object.entries({ train, "held-out": heldOut, instructions })) {
  const text = list
    .map(({ id, lang, source, messages }) => `${JSON.stringify({ id, lang, source, messages })}\n`)
    .join("");
  writeFileSync(join(values.out, `${name}.jsonl`), text);
  files[`${name}.jsonl`] = {
    ...{ examples: list.length, tokens: sum(list, "tokens"), targets: sum(list, "targets") },
    sha256: createHash("sha256").update(text).digest("hex"),
  };
}
const overlaps = [...tests].map(([{ id }, item]) => ({ id, item }));
const manifest = {
  seed,
  model: DEFAULT_MODEL,
  maxTokens: MAX_TOKENS,
  files,
  sources: counts,
  overlaps,
  leftOut: LEFT_OUT,
};
writeFileSync(join(values.out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
process.stdout.write(`${JSON.stringify({ files, sources: counts }, null, 2)}\n`);
for (const [later, earlier] of repeated) {
  if (later.source === "own") process.stdout.write(`own conversation repeated: ${later.id} as ${earlier.id}\n`);
}
