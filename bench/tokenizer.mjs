// The tokenizer's speed on one thread, after a check that it still gives the reference's ids.
//   npm run bench:tokenizer -- --model FILE.gguf --text FILE
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { bytesSource } from "../dist/format/byte-source.js";
import { parseGguf } from "../dist/format/gguf.js";
import { Tokenizer } from "../dist/tokenizer/tokenizer.js";
import { vocabularyFromGguf } from "../dist/tokenizer/vocabulary.js";

const RUNS = 7;
const LINE_LENGTH = 1_000_000;
const { values } = parseArgs({ options: { model: { type: "string" }, text: { type: "string" } } });
if (values.model === undefined || values.text === undefined) {
  console.error("usage: npm run bench:tokenizer -- --model FILE.gguf --text FILE");
  process.exit(2);
}

const { metadata } = parseGguf(bytesSource(values.model, readFileSync(values.model)));
const build = timed(() => vocabularyFromGguf(metadata));
const tokenizer = Tokenizer.fromVocabulary(build.result);
const first = timed(() => tokenizer.encode("Hello"));

console.log(`${cpus()[0]?.model}, Node ${process.version}, one thread, wall time (CPU time)`);
verify();
console.log(`vocabulary of ${tokenizer.size}: ${show(build)}, encoder with its first text: ${show(first)}`);

const text = readFileSync(values.text, "utf8");
const bytes = Buffer.byteLength(text);
const rate = (run) => `${(bytes / 1e3 / run.ms).toFixed(1)} MB/s`;
const runs = Array.from({ length: RUNS }, () => timed(() => tokenizer.encode(text)));
const [once, ...again] = runs;
const median = [...again].sort((a, b) => a.ms - b.ms)[again.length >> 1];
console.log(`${values.text}: ${bytes} bytes, ${once.result.length} tokens`);
console.log(`  encode, words not cached yet: ${rate(once)}, ${show(once)}`);
console.log(`  encode, median of ${again.length} more: ${rate(median)}, ${show(median)}`);
const decoding = timed(() => tokenizer.decode(once.result));
console.log(`  decode: ${rate(decoding)}, ${show(decoding)}`);

console.log(`lines of ${LINE_LENGTH} characters without a space`);
for (const [name, line] of Object.entries(lines())) {
  const run = timed(() => tokenizer.encode(line));
  if (tokenizer.decode(run.result) !== line) throw new Error(`${name}: the line does not come back`);
  console.log(`  ${name}: ${run.result.length} tokens, ${show(run)}`);
}

/** The reference ids of test/fixtures/tokenizer, where the file has Gemma 3's vocabulary; a round trip of the text. */
function verify() {
  if (tokenizer.size === 262_144) {
    const fixture = new URL("../test/fixtures/tokenizer/cases.jsonl", import.meta.url);
    const cases = readFileSync(fixture, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const { text, ids, plain = ids } of cases) {
      if (tokenizer.encode(text).join() !== plain.join()) throw new Error(`wrong ids for ${JSON.stringify(text)}`);
    }
    console.log(`verified: ${cases.length} texts have the reference's ids`);
  }
  const text = readFileSync(values.text, "utf8");
  const fresh = Tokenizer.fromVocabulary(tokenizer.vocabulary); // leaves the measured one's cache empty
  if (fresh.decode(fresh.encode(text)) !== text.replaceAll("\u2581", " "))
    throw new Error("the text does not come back");
  console.log("verified: the text comes back from its ids");
}

function lines() {
  let state = 1;
  const random = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
  const repeat = (part) => part.repeat(Math.ceil(LINE_LENGTH / part.length)).slice(0, LINE_LENGTH);
  const letters = Array.from({ length: LINE_LENGTH }, () => String.fromCharCode(97 + random(26))).join("");
  return {
    "one letter": repeat("a"),
    dashes: repeat("-"),
    "random letters": letters,
    words: repeat(text.replace(/\s+/g, "")),
  };
}

function timed(run) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = run();
  const ms = performance.now() - start;
  return { result, ms, cpuMs: process.cpuUsage(cpu).user / 1000 };
}

function show({ ms, cpuMs }) {
  return `${ms.toFixed(0)} ms (${cpuMs.toFixed(0)})`;
}
