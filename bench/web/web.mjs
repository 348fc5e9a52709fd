// gemma.ts beside wllama in headless Chromium: the same file, threads, prompts; in turns, a fresh browser a run.
//     npm run bench:web -- [--model M] [--rounds 3] [--threads 2] [--decode 64] [--backend wasm|webgpu] [--json] [--record FILE]
// Both fetch the file from a server on this machine and keep it in the page's private storage; a second visit of the same
// tab loads it from there. All times are the page's own, from the call to the piece of text, and no developer tools are
// attached: they look at every piece of a download. Memory is the most that the page's process had in one of the visits,
// each measured from its begin. Of webgpu that leaves out what the GPU's process has.
// transformers.js is not compared: it needs other weights (ONNX), and then file and quantisation differ.
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { removeFolder } from "../../scripts/lib/remove-folder.mjs";
import { circumstances, limitsProbe } from "../lib/machine.mjs";
import { makeRow } from "../lib/record.mjs";
import { publish } from "../lib/table.mjs";
import { installPeer, PEER } from "./install.mjs";
import { visitPage } from "./page-visits.mjs";
import { openSite } from "./site.mjs";

const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const CONTEXT = 2048;
/** The greedy texts must be the same so far, or the sides do not compute the same. */
const SAME_LETTERS = 24;
const BARS = { decode: 5, prefill: 8, load: 0.3, memory: 0.8 };

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "gemma-3-270m" },
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    decode: { type: "string", default: "64" },
    backend: { type: "string", default: "wasm" },
    json: { type: "boolean", default: false },
    record: { type: "string" },
  },
});
const [rounds, threads, decode] = [values.rounds, values.threads, values.decode].map(Number);
if (!(rounds >= 1 && threads >= 1 && decode >= 2)) {
  console.error("--rounds and --threads must be >= 1, --decode >= 2");
  process.exit(2);
}

/** One side in a browser of its own: first visit, repeat visit, prefill and decode on the latter. */
async function runSide(name, site) {
  const profile = mkdtempSync(join(tmpdir(), "gemma-bench-web-"));
  const settings = { name, threads, context: CONTEXT, backend: values.backend };
  try {
    const visits = [
      { ...settings, decode: 0 },
      { ...settings, decode },
    ];
    const [first, repeat] = await visitPage(visits, profile, site);
    const { short, long } = repeat;
    return {
      what: repeat.what,
      text: short.text,
      firstLoadMs: first.loadMs,
      repeatLoadMs: repeat.loadMs,
      decodeTokensPerSecond: (1000 * (short.tokens - 1)) / (short.lastMs - short.firstMs),
      prefillTokensPerSecond: (1000 * long.promptTokens) / long.firstMs,
      peakBytes: Math.max(first.peakBytes, repeat.peakBytes),
    };
  } finally {
    await removeFolder(profile);
  }
}

function verify({ ours, theirs }) {
  const [here, there] = [ours, theirs].map(({ text }) => text.slice(0, SAME_LETTERS));
  if (here !== there)
    throw new Error(`different continuations: ${JSON.stringify(here)} here, ${JSON.stringify(there)} there`);
}

installPeer();
const model = JSON.parse(execFileSync("node", [cli, "pull", "--json", values.model], { encoding: "utf8" })).path;
const site = await openSite(model);
const probe = limitsProbe(threads);
const results = [];
for (let i = 0; i < rounds; i++) {
  probe.measure();
  const first = i % 2 === 0 ? await runSide("gemma", site) : null;
  const theirs = await runSide("wllama", site);
  results.push({ ours: first ?? (await runSide("gemma", site)), theirs });
  if (i === 0) verify(results[0]);
  console.error(`round ${i + 1} of ${rounds} done: ${results[0].ours.what}; wllama ${results[0].theirs.what}`);
}
probe.measure();
await site.close();

/** [id, label, unit, measure, scale, better, target] */
const ROWS = [
  ["decode", "decode", "tokens/s", "decodeTokensPerSecond", 1, "higher", { atLeast: BARS.decode }],
  ["prefill", "prefill", "tokens/s", "prefillTokensPerSecond", 1, "higher", { atLeast: BARS.prefill }],
  ["load", "load, first visit", "ms", "firstLoadMs", 1, "lower", { atMost: BARS.load }],
  ["reload", "load, repeat visit", "ms", "repeatLoadMs", 1, "lower", { atMost: BARS.load }],
  ["memory", "peak memory of a page", "MB", "peakBytes", 1e-6, "lower", { atMost: BARS.memory }],
];
const rows = ROWS.map(([id, label, unit, measure, scale, better, target]) =>
  makeRow({
    ...{ id, label, unit, better },
    ours: results.map(({ ours }) => scale * ours[measure]),
    theirs: results.map(({ theirs }) => scale * theirs[measure]),
    targets: [{ of: "ratio", ...target }],
  }),
);
publish(values, "web", {
  name: values.backend,
  title: `${values.model} in headless Chromium, ${threads} threads, ${values.backend}, decode ${decode}`,
  ours: "gemma.ts",
  peer: "wllama",
  peerVersion: `wllama ${PEER}`,
  ...circumstances(),
  load: probe.load(),
  rounds,
  settings: { threads, decode, context: CONTEXT, isa: results[0].ours.what },
  limits: null,
  rows,
});
