// Makes the training set out of public-domain stories, which it fetches and checks by their hashes: JSON lines of {text}, a tale
// or chapter each, and conversations made of them.
//   node recipes/gemma-tiny-ts/prepare.mjs --texts DIR --out DIR
// DIR of --texts keeps the files; what is there is not fetched again.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { chatsAboutItself, chatsOf } from "./lib/chats.mjs";
import { stories } from "./lib/stories.mjs";

/** Every so many-th story of a language is held out. */
const HELD_OUT_EVERY = 40;

const { values } = parseArgs({ options: { texts: { type: "string" }, out: { type: "string" } } });
if (!values.texts || !values.out) {
  process.stderr.write("usage: node recipes/gemma-tiny-ts/prepare.mjs --texts DIR --out DIR\n");
  process.exit(2);
}
const sources = JSON.parse(readFileSync(new URL("sources.json", import.meta.url), "utf8"));
mkdirSync(values.texts, { recursive: true });
mkdirSync(values.out, { recursive: true });

const train = [];
const chats = chatsAboutItself();
const heldOut = { en: [], de: [] };
const counts = { en: 0, de: 0 };
const manifest = { sources: [], files: {} };
for (const source of sources) {
  const found = stories(await textOf(source), source);
  const kept = { learned: 0, heldOut: 0, bytes: 0 };
  for (const text of found) {
    const number = counts[source.language]++;
    const isHeldOut = number % HELD_OUT_EVERY === HELD_OUT_EVERY - 1;
    if (!isHeldOut) chats.push(...chatsOf(text, { ...source, number }));
    (isHeldOut ? heldOut[source.language] : train).push({ text });
    kept[isHeldOut ? "heldOut" : "learned"]++;
    kept.bytes += Buffer.byteLength(text);
  }
  manifest.sources.push({ id: source.id, ...kept });
}
write("train.jsonl", train);
write(
  "chats.jsonl",
  chats.map((messages) => ({ messages })),
);
for (const language of ["en", "de"]) write(`held-out.${language}.jsonl`, heldOut[language]);
writeFileSync(join(values.out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
for (const { id, ...kept } of manifest.sources) console.log(id.padEnd(18), JSON.stringify(kept));
console.log(manifest.files);

async function textOf({ url, sha256, encoding }) {
  const path = join(values.texts, basename(new URL(url).pathname));
  if (!existsSync(path)) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: must answer with 200, got ${response.status}`);
    writeFileSync(path, Buffer.from(await response.arrayBuffer()));
  }
  const bytes = readFileSync(path);
  const got = createHash("sha256").update(bytes).digest("hex");
  if (got !== sha256) throw new Error(`${path}: must have the SHA-256 ${sha256}, got ${got}`);
  return new TextDecoder(encoding).decode(bytes);
}

function write(name, rows) {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  writeFileSync(join(values.out, name), text);
  const bytes = rows.reduce(
    (sum, row) => sum + Buffer.byteLength(row.text ?? row.messages.map(({ content }) => content).join("")),
    0,
  );
  manifest.files[name] = { rows: rows.length, bytes, sha256: createHash("sha256").update(text).digest("hex") };
}
