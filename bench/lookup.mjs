// Prompt lookup on and off, on texts that repeat their prompt and on texts that do not.
//   npm run bench:lookup -- --text DIR [--model M] [--threads N] [--tokens N] [--rounds N]
//       [--kind KIND ...] [--record FILE] [--json]
// DIR holds .txt files. Each prompt is continued with and without, in turns; first the two texts are compared.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Gemma } from "../dist/index.js";
import { circumstances, limitsProbe } from "./lib/machine.mjs";
import { makeRow } from "./lib/record.mjs";
import { publish } from "./lib/table.mjs";

const { values } = parseArgs({
  options: {
    text: { type: "string" },
    model: { type: "string", default: "gemma-3-270m" },
    threads: { type: "string" },
    tokens: { type: "string", default: "128" },
    rounds: { type: "string", default: "3" },
    kind: { type: "string", multiple: true },
    record: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
if (values.text === undefined) {
  console.error(
    "usage: npm run bench:lookup -- --text DIR [--model M] [--threads N] [--tokens N] [--rounds N] [--json]",
  );
  process.exit(2);
}
const texts = readdirSync(values.text)
  .filter((name) => name.endsWith(".txt"))
  .map((name) => readFileSync(join(values.text, name), "utf8"));
if (texts.length === 0) throw new Error(`${values.text} has no .txt files`);

const PASSAGE = 900; // characters
const passages = texts.flatMap((text) => [0.2, 0.6].map((at) => passage(text, Math.floor(at * text.length))));
const records = Array.from({ length: 6 }, (_, i) => ({
  id: i + 1,
  name: `user${i + 1}`,
  email: `user${i + 1}@example.com`,
  roles: ["reader", "writer"],
  isActive: i % 3 !== 0,
}));
const KINDS = {
  quote: passages.map((text) => `Text:\n${text}\n\nThe same text again:\n${text.slice(0, 40)}`),
  correct: passages.map((text) => `Original: He go home .\nCorrected: He goes home.\n\nOriginal: ${text}\nCorrected:`),
  json: [`${JSON.stringify(records, null, 2).slice(0, -2)},\n  {`],
  code: ["lookup.mjs", "quality.mjs"].map((name) =>
    readFileSync(new URL(name, import.meta.url), "utf8").slice(0, 2400),
  ),
  text: passages,
};

const gemma = await Gemma.load(values.model, values.threads ? { threads: Number(values.threads) } : {});
await gemma.generate(KINDS.json[0], { maxTokens: 64 }).result; // warms up, not counted
const { backend, name } = gemma.info;
const probe = limitsProbe(backend.threads);
probe.measure();
const rows = [];
for (const [kind, prompts] of Object.entries(KINDS)) {
  if (values.kind && !values.kind.includes(kind)) continue;
  for (const temperature of [0, 1]) rows.push(await measure(kind, prompts, temperature));
}
probe.measure();
await gemma.dispose();

const threads = backend.threads === 1 ? "1 thread" : `${backend.threads} threads`;
publish(values, "lookup", {
  name: `lookup-${backend.threads}`,
  title: `lookup-${backend.threads}: prompt lookup, ${name}, ${backend.isa}, ${threads}`,
  ours: "with lookup",
  peer: "without",
  ...circumstances(),
  load: probe.load(),
  rounds: Number(values.rounds),
  settings: { threads: backend.threads, isa: backend.isa, tokens: Number(values.tokens) },
  limits: probe.limits(),
  rows,
});

/** Decode speed of all prompts of a kind, off and on in turns. */
async function measure(kind, prompts, temperature) {
  const rounds = [];
  const counts = { proposed: 0, accepted: 0 };
  for (let round = 0; round < Number(values.rounds); round++) {
    const total = { off: { ms: 0, tokens: 0 }, on: { ms: 0, tokens: 0 } };
    for (const [i, prompt] of prompts.entries()) {
      const order = (round + i) % 2 === 0 ? ["off", "on"] : ["on", "off"];
      const ids = {};
      for (const side of order) {
        const options = { temperature, seed: i, maxTokens: Number(values.tokens), promptLookup: side === "on" };
        const result = await gemma.generate(prompt, options).result;
        ids[side] = result.ids.join();
        total[side].ms += result.timings.decodeMs;
        total[side].tokens += result.timings.generatedTokens - 1;
        if (round > 0) continue;
        counts.proposed += result.timings.proposedTokens;
        counts.accepted += result.timings.acceptedTokens;
      }
      if (ids.on !== ids.off) throw new Error(`${kind}, temperature ${temperature}, prompt ${i}: the texts differ`);
    }
    rounds.push({ off: speed(total.off), on: speed(total.on) });
  }
  const { proposed, accepted } = counts;
  const label = `${kind}, temperature ${temperature}, ${accepted} of ${proposed} accepted`;
  const [ours, theirs] = ["on", "off"].map((side) => rounds.map((round) => round[side]));
  return makeRow({ id: `${kind} ${temperature}`, label, unit: "tokens/s", ours, theirs });
}

/** From the start of a line on. */
function passage(text, from) {
  const start = text.indexOf("\n", from) + 1;
  return text.slice(start, start + PASSAGE).trim();
}

function speed({ ms, tokens }) {
  return (1000 * tokens) / ms;
}
