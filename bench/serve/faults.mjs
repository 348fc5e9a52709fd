// Clients that misbehave, faults inside the server, 100 of each kind, and SIGTERM under load: the server serves on as if
// nothing had been.
//     npm run bench:serve-faults -- [--count 100] [--fault NAME ...] [--sigterms 100] [--model FILE] [--threads 2]
//         [--flags="..."] [--cli FILE]
// After each kind a control request gets the same text as before, no request runs or waits within two seconds, pages are free
// or remembered, descriptors are back. Exit code 1 when something does not hold. fault-kinds.mjs and
// inner-faults.mjs have the kinds.

import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeMachine, machineLine } from "../lib/machine.mjs";
import { FAULTS, WRITE_SECONDS } from "./fault-kinds.mjs";
import { INNER_FAULTS } from "./inner-faults.mjs";
import { Client } from "./lib/client.mjs";
import { leftovers } from "./lib/leftovers.mjs";
import { descriptors, expectProc, memory } from "./lib/proc.mjs";
import { startServer } from "./lib/process.mjs";
import { gemmaSide } from "./lib/sides.mjs";
import { tally } from "./lib/stats.mjs";
import { terminateUnderLoad } from "./sigterm.mjs";
import { modelName } from "./verify.mjs";

const SETTLE_MS = 2000;
const IDLE_MS = 120_000;
const TINY = fileURLToPath(new URL("../../test/fixtures/gguf/models/gemma3.q8_0.gguf", import.meta.url));
const SIGTERM = "SIGTERM under load";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100" },
    fault: { type: "string", multiple: true },
    sigterms: { type: "string", default: "100" },
    model: { type: "string", default: "gemma-3-270m" },
    threads: { type: "string", default: "2" },
    flags: { type: "string", default: "" },
    cli: { type: "string", default: fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url)) },
  },
});
const [count, sigterms, threads] = [values.count, values.sigterms, values.threads].map(Number);
const names = [...FAULTS, ...INNER_FAULTS, { name: SIGTERM }].map(({ name }) => name);
const wanted = values.fault ?? names;
const unknown = wanted.find((name) => !names.includes(name));
if (unknown !== undefined) throw new Error(`--fault must be one of ${names.join(", ")}, got ${unknown}`);
expectProc();
console.log(machineLine(describeMachine()));
const flags = values.flags.split(" ").filter((flag) => flag !== "");
const rows = [];
const chosen = FAULTS.filter(({ name }) => wanted.includes(name));
const onTiny = chosen.filter(({ isTiny }) => isTiny);
const onModel = chosen.filter((fault) => !onTiny.includes(fault));
await runFaults(values.model, 2048, onModel);
await runFaults(TINY, 16_384, onTiny);
for (const fault of INNER_FAULTS.filter(({ name }) => wanted.includes(name))) await runInner(fault);
if (wanted.includes(SIGTERM) && sigterms > 0) await runSigterms();
const failed = rows.filter(({ problems }) => problems.length > 0);
console.log(failed.length === 0 ? "\npassed" : `\nFAILED: ${failed.map(({ name }) => name).join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function runFaults(file, context, faults) {
  if (faults.length === 0) return;
  const setup = { model: file, threads, streams: 16, context, cli: values.cli };
  const server = await startServer(
    gemmaSide({ ...setup, flags: ["--write-seconds", String(WRITE_SECONDS), ...flags] }),
  );
  let ended = null;
  server.exited.then((how) => {
    ended = how;
  });
  const client = new Client(server.origin, 1);
  const model = await modelName(client);
  const control = { model, prompt: "The capital of France is", max_tokens: 12, temperature: 0, ignore_eos: true };
  const ask = async () => (await client.json("/v1/completions", control)).choices[0].text;
  const before = { text: await ask(), descriptors: descriptors(server.pid) };
  const port = Number(new URL(server.origin).port);
  for (const fault of faults) {
    const start = performance.now();
    const at = { port, model, untilIdle: () => untilIdle(client) };
    const outcomes = await inGroups(fault, at);
    const tookMs = performance.now() - start;
    const problems = outcomes.filter((outcome) => !fault.wants.includes(outcome));
    const found = [...tally(problems)].map(([outcome, times]) => `${times} x ${outcome}`);
    if (ended === null) found.push(...(await aftermath()));
    else found.push(`the server ended: ${JSON.stringify(ended)}\n${server.output()}`);
    addRow({
      name: fault.name,
      outcomes,
      problems: found,
      tookMs,
      rssMb: ended === null ? memory(server.pid).rssBytes / 1e6 : 0,
    });
    if (ended !== null) break;
  }
  await client.close();
  if (ended === null) await server.stop();

  async function aftermath() {
    const found = [];
    const left = await leftovers(client, SETTLE_MS);
    if (left !== "") found.push(`after ${SETTLE_MS} ms: ${left}`);
    const text = await ask();
    if (text !== before.text)
      found.push(`the control text is ${JSON.stringify(text)}, was ${JSON.stringify(before.text)}`);
    const open = await descriptorsBack();
    if (open > before.descriptors) found.push(`${open} descriptors, were ${before.descriptors}`);
    return found;
  }

  async function descriptorsBack() {
    const end = performance.now() + SETTLE_MS;
    while (descriptors(server.pid) > before.descriptors && performance.now() < end) await sleep(50);
    return descriptors(server.pid);
  }
}

async function runInner({ name, wants, run, needs }) {
  if (needs !== undefined && !existsSync(needs)) return console.log(`skipped ${name}: needs ${needs}`);
  const start = performance.now();
  const outcomes = await run(count);
  const problems = [...tally(outcomes.filter((outcome) => !wants.includes(outcome)))];
  const found = problems.map(([outcome, times]) => `${times} x ${outcome}`);
  addRow({ name, outcomes, problems: found, tookMs: performance.now() - start });
}

/** `count` times, `atOnce` at a time. */
async function inGroups({ atOnce, run }, at) {
  const outcomes = [];
  for (let first = 0; first < count; first += atOnce) {
    const group = Array.from({ length: Math.min(atOnce, count - first) }, (_, i) => run({ ...at, index: first + i }));
    outcomes.push(...(await Promise.all(group)));
  }
  return outcomes;
}

/** @returns whether the server soon had nothing to do */
async function untilIdle(client) {
  await sleep(1000);
  return (await leftovers(client, IDLE_MS)) === "";
}

async function runSigterms() {
  const setup = {
    model: TINY,
    threads: 1,
    streams: 8,
    context: 256,
    cli: values.cli,
    flags: ["--grace-seconds", "10", ...flags],
  };
  const start = performance.now();
  const outcomes = [];
  const found = [];
  for (let round = 0; round < sigterms; round++) {
    const { how, outcomes: all, exitMs } = await terminateUnderLoad(gemmaSide(setup), round);
    outcomes.push(...all);
    if (how.code !== 0) found.push(`exit ${JSON.stringify(how)} after ${exitMs.toFixed(0)} ms`);
    if (process.stderr.isTTY) process.stderr.write(`\r${SIGTERM}: ${round + 1} of ${sigterms}   `);
  }
  if (process.stderr.isTTY) process.stderr.write("\r");
  found.push(...outcomes.filter((outcome) => !["answered", "503", "refused"].includes(outcome)));
  const problems = [...tally(found)].map(([what, times]) => `${times} x ${what}`);
  addRow({ name: `${SIGTERM}, ${sigterms} times`, outcomes, problems, tookMs: performance.now() - start });
}

function addRow(row) {
  rows.push(row);
  const { name, outcomes, problems, tookMs, rssMb } = row;
  const kinds = [...tally(outcomes)].map(([outcome, times]) => `${times} ${outcome}`).join(", ");
  const took = `${(tookMs / 1000).toFixed(1)} s${rssMb ? `, ${rssMb.toFixed(0)} MB` : ""}`;
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"}  ${name.padEnd(30)}${took.padStart(16)}   ${kinds}`);
  for (const problem of problems) console.log(`          ${problem}`);
}
