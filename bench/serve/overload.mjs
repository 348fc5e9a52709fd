// Far more clients than a server has room for: each request ends with 200, or with 429 or 503 and a time to come back.
//     npm run bench:serve-overload -- [--connections 500] [--queue 64] [--seconds 120] [--pause-ms 250] [--tokens 16]
//         [--model FILE] [--threads 2] [--flags="..."] [--cli FILE]
// Each client keeps one connection and sends its next request at once after an answer, and after --pause-ms when it was
// turned away: it is less patient than it is asked to be. Every other request streams. Exit code 1 when something does not hold.

import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeMachine, machineLine } from "../lib/machine.mjs";
import { readStream } from "./lib/answer.mjs";
import { Checks } from "./lib/checks.mjs";
import { bodyText, Client } from "./lib/client.mjs";
import { expectProc } from "./lib/proc.mjs";
import { startServer } from "./lib/process.mjs";
import { ownPrompt } from "./lib/prompts.mjs";
import { gemmaSide } from "./lib/sides.mjs";
import { percentile, slope, tally } from "./lib/stats.mjs";
import { watchServer } from "./lib/watch.mjs";
import { modelName } from "./verify.mjs";

const WARM_UP_SHARE = 0.25; // 30 s of two minutes
/** Shares of memory: how much it may grow, and how far garbage may lie above the middle. */
const GROWTH = 0.05;
const PEAK = 0.15;
const LAST_ANSWER_MS = 120_000;

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "500" },
    queue: { type: "string", default: "64" },
    seconds: { type: "string", default: "120" },
    "pause-ms": { type: "string", default: "250" },
    tokens: { type: "string", default: "16" },
    model: { type: "string", default: "gemma-3-270m" },
    threads: { type: "string", default: "2" },
    flags: { type: "string", default: "" },
    cli: { type: "string", default: fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url)) },
  },
});
const [connections, queue, seconds, pauseMs, tokens, threads] = [
  ...["connections", "queue", "seconds", "pause-ms", "tokens", "threads"].map((name) => Number(values[name])),
];
expectProc();
console.log(machineLine(describeMachine()));
// A small prefix cache is full before memory is looked at.
const limits = ["--queue-length", String(queue), "--prefix-cache", "32"];
const flags = [...limits, ...values.flags.split(" ").filter((flag) => flag !== "")];
const side = gemmaSide({ model: values.model, threads, streams: 16, context: 512, flags, cli: values.cli });
const server = await startServer(side);
let ended = null;
server.exited.then((how) => {
  ended = how;
});
const control = new Client(server.origin, 1);
const body = { model: await modelName(control), max_tokens: tokens, temperature: 0, ignore_eos: true };
const before = (await control.json("/v1/completions", { ...body, prompt: "The capital of France is" })).choices[0].text;

const watch = watchServer(server.pid, 1000);
const start = performance.now();
const isOver = () => performance.now() - start >= 1000 * seconds || ended !== null;
const progress = setInterval(() => {
  const mb = (watch.samples.at(-1)?.rssBytes ?? 0) / 1e6;
  console.error(
    `${((performance.now() - start) / 1000).toFixed(0)} s: ${outcomes.length} requests, ${mb.toFixed(0)} MB`,
  );
}, 10_000);
const outcomes = [];
await Promise.all(Array.from({ length: connections }, (_, i) => runClient(i)));
clearInterval(progress);
await watch.stop();

report();
const checks = new Checks();
checkOutcomes();
checkMemory();
await checkAfterwards();
checks.end();
await control.close();
if (ended === null) await server.stop();

async function runClient(index) {
  const client = new Client(server.origin, 1);
  await sleep((2000 * index) / connections); // the first requests of all within two seconds
  for (let i = 0; !isOver(); i++) {
    const outcome = await ask(client, index + connections * i);
    outcomes.push(outcome);
    if (outcome.kind !== "200") await sleep(pauseMs * (0.5 + (index % 100) / 100));
  }
  await client.close();
}

/** @returns {{ kind, totalMs, firstMs?, hint? }} kind: the status, or what broke */
async function ask(client, seed) {
  const stream = seed % 2 === 0;
  const begin = performance.now();
  try {
    const signal = AbortSignal.timeout(LAST_ANSWER_MS);
    const answer = await client.post("/v1/completions", { ...body, stream, prompt: ownPrompt(seed) }, { signal });
    const { status, headers, totalMs } = answer;
    if (status !== 200) return { kind: String(status), totalMs, hasRetry: Number(headers["retry-after"]) > 0 };
    return { kind: isWhole(answer, stream) ? "200" : "200, cut", totalMs };
  } catch (error) {
    return { kind: `connection: ${error.code ?? error.name}`, totalMs: performance.now() - begin };
  }
}

function isWhole(answer, stream) {
  if (!stream) return JSON.parse(bodyText(answer)).choices[0].finish_reason === "length";
  const { finishReason, isDone, error } = readStream(answer.chunks);
  return finishReason === "length" && isDone && error === null;
}

function report() {
  const took = (performance.now() - start) / 1000;
  console.log(`\n${connections} connections, a queue of ${queue}, ${took.toFixed(0)} s, ${outcomes.length} requests`);
  for (const [kind, count] of [...tally(outcomes.map(({ kind }) => kind))].sort()) {
    const times = outcomes.filter((one) => one.kind === kind).map(({ totalMs }) => totalMs);
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(times, share).toFixed(0));
    console.log(
      `${kind.padEnd(30)}${String(count).padStart(8)}   p50 ${p50.padStart(6)} ms   p99 ${p99.padStart(6)} ms`,
    );
  }
}

function checkOutcomes() {
  const strange = outcomes.filter(({ kind }) => !["200", "429", "503"].includes(kind));
  checks.expect(strange.length === 0, `every request ended with 200, 429 or 503 (${strange.length} did not)`);
  const turnedAway = outcomes.filter(({ kind }) => kind === "429" || kind === "503");
  const without = turnedAway.filter(({ hasRetry }) => !hasRetry).length;
  checks.expect(
    without === 0,
    `each that was turned away got Retry-After (${without} of ${turnedAway.length} did not)`,
  );
  checks.expect(turnedAway.length > 0, `there was overload: ${turnedAway.length} were turned away`);
  const admitted = outcomes.filter(({ kind }) => kind === "200").length;
  checks.expect(admitted > 0, `${admitted} were answered`);
}

function checkMemory() {
  const from = 1000 * seconds * WARM_UP_SHARE;
  const counted = watch.samples.filter(({ atMs }) => atMs >= from);
  const points = counted.map(({ atMs, rssBytes }) => ({ x: atMs, y: rssBytes / 1e6 }));
  if (points.length < 3) return checks.expect(false, `memory was sampled ${points.length} times`);
  const mb = points.map(({ y }) => y);
  const grown = slope(points).rise * (points.at(-1).x - points[0].x);
  const range = `${Math.min(...mb).toFixed(0)} to ${Math.max(...mb).toFixed(0)} MB`;
  checks.expect(
    grown <= GROWTH * mb[0] && Math.max(...mb) <= (1 + PEAK) * percentile(mb, 0.5),
    `memory was flat after ${(from / 1000).toFixed(0)} s: grown by ${grown.toFixed(1)} MB (at most 5 %), ${range}`,
  );
}

async function checkAfterwards() {
  checks.expect(ended === null, `the server is alive${ended === null ? "" : `: it ended, ${JSON.stringify(ended)}`}`);
  if (ended !== null) return console.log(server.output());
  const after = (await control.json("/v1/completions", { ...body, prompt: "The capital of France is" })).choices[0]
    .text;
  checks.expect(after === before, `it answers as before: ${JSON.stringify(after)}`);
}
