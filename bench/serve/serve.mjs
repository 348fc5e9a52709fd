// `gemma serve` beside llama.cpp's server: the same file, threads and prompts over HTTP, in turns.
//     npm run bench:serve -- [--scenario NAME ...] [--rounds 3] [--threads 2] [--model FILE] [--quick] [--json]
//         [--record FILE] [--ours-flags="..."] [--peer-flags="..."] [--cli FILE]
// Scenarios: 1, 4, 16, 64 streams, shared-1 ... shared-64 with a beginning of 1,000 tokens that all prompts share, and prefix:
// 8 clients that share one, all at once, on a fresh server. Times on a shared machine mean nothing by themselves: read the
// ratios. Exit code 1 when a bar is missed.
import { execFileSync } from "node:child_process";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { circumstances, describeMachine, limitsProbe, machineLine } from "../lib/machine.mjs";
import { isReached, writeRecord } from "../lib/record.mjs";
import { printScenario } from "../lib/table.mjs";
import { llamaServer, PEER } from "./lib/llama-server.mjs";
import { expectProc } from "./lib/proc.mjs";
import { gemmaSide, llamaSide, WAITING } from "./lib/sides.mjs";
import { measurePrefix, measureSide } from "./measure.mjs";
import { prefixRows, serveRows } from "./rows.mjs";
import { contextOf, PREFIX, QUICK, SAMPLING, SCENARIOS, TOKENS } from "./scenarios.mjs";
import { verifyTexts } from "./verify.mjs";

const { values } = parseArgs({
  options: {
    scenario: { type: "string", multiple: true },
    rounds: { type: "string" },
    threads: { type: "string", default: "2" },
    model: { type: "string", default: "gemma-3-270m" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    record: { type: "string" },
    "ours-flags": { type: "string", default: "" },
    "peer-flags": { type: "string", default: "" },
    cli: { type: "string", default: fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url)) },
  },
});
const names = values.scenario ?? (values.quick ? QUICK : [...Object.keys(SCENARIOS), PREFIX.name]);
const unknown = names.find((name) => name !== PREFIX.name && !Object.hasOwn(SCENARIOS, name));
if (unknown !== undefined)
  throw new Error(`--scenario must be one of ${Object.keys(SCENARIOS)}, prefix, got ${unknown}`);
expectProc();
const threads = Number(values.threads);
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const samplings = values.quick ? ["greedy"] : Object.keys(SAMPLING);
const split = (flags) => flags.split(" ").filter((flag) => flag !== "");
const program = llamaServer();
const model = JSON.parse(execFileSync(process.execPath, [values.cli, "pull", "--json", values.model])).path;

const help = execFileSync(process.execPath, [values.cli, "serve", "--help"], { encoding: "utf8" });
const canDoWithoutLookup = help.includes("--no-prompt-lookup");

const machine = describeMachine();
const scenarios = [];
if (!values.json) console.log(`${machineLine(machine)}, ${PEER}`);
const waiting = await bestWaiting();
const same = await verifyTexts(...Object.values(sidesOf({ streams: 1, shared: false })));
if (!canDoWithoutLookup) console.error("no rows without prompt lookup: gemma serve has no flag for it");
console.error(`greedy texts agree (${same} of 5 to the last token, the others up to a near-tie)`);
for (const name of names) {
  const result = name === PREFIX.name ? await comparePrefix() : await compare(name, SCENARIOS[name]);
  scenarios.push(result);
  if (!values.json) printScenario(result);
  if (values.record) writeRecord(values.record, { bench: "serve", machine, scenarios: [result] });
}
if (values.json) console.log(JSON.stringify({ bench: "serve", machine, scenarios }));
const reached = scenarios.flatMap(({ rows }) => rows.flatMap((row) => row.targets.map((one) => isReached(row, one))));
if (reached.includes(false)) process.exitCode = 1;

function sidesOf(scenario) {
  const setup = { model, threads, streams: scenario.streams, context: contextOf(scenario) };
  return {
    ours: gemmaSide({ ...setup, cli: values.cli, flags: split(values["ours-flags"]) }),
    theirs: llamaSide({ ...setup, program, waiting, flags: split(values["peer-flags"]) }),
  };
}

/** What is faster for the peer as the machine is now: spinning is, unless anything else runs; then it loses nine tenths. */
async function bestWaiting() {
  const trial = { streams: 1, shared: false, requests: 1 };
  const setup = { model, program, threads, streams: 1, context: contextOf(trial), flags: split(values["peer-flags"]) };
  const tried = {};
  for (const policy of WAITING) {
    const { greedy } = await measureSide(llamaSide({ ...setup, waiting: policy }), trial, 0, ["greedy"]);
    tried[policy] = greedy.tokensPerSecond;
  }
  const shown = WAITING.map((policy) => `${policy} ${tried[policy].toFixed(1)}`).join(", ");
  console.error(`llama-server's tokens a second by how its threads wait: ${shown}`);
  return WAITING.reduce((best, policy) => (tried[policy] > tried[best] ? policy : best));
}

async function compare(name, scenario) {
  const { ours, theirs } = sidesOf(scenario);
  const sides = { ours: [ours, samplings], theirs: [theirs, samplings] };
  if (canDoWithoutLookup) {
    const flags = [...split(values["ours-flags"]), "--no-prompt-lookup"];
    const setup = { model, threads, streams: scenario.streams, context: contextOf(scenario), cli: values.cli, flags };
    sides.plain = [gemmaSide(setup), ["greedy"]];
  }
  const run = ([side, chosen], round) => measureSide(side, scenario, round, chosen);
  const { found, probe } = await inTurns(name, sides, run);
  const { streams, requests, shared } = scenario;
  const { promptTokens } = found[0].ours.greedy;
  const ownCpu = Math.max(...found.flatMap((round) => Object.values(round)).map((side) => side.greedy.ownCpu));
  const each = `${Math.round(promptTokens)} prompt tokens${shared ? ", 1,000 of them shared," : ""} and ${TOKENS} of answer each`;
  return {
    ...head(name, `${streams} ${streams === 1 ? "stream" : "streams"}, ${each}, ${requests} requests a stream`),
    ...{
      load: probe.load(),
      settings: { threads, streams, requests, shared, tokens: TOKENS, promptTokens, ownCpu, waiting },
    },
    ...{
      limits: probe.limits(),
      rows: serveRows(
        scenario,
        found.map((round) => ({ plain: null, ...round })),
        samplings,
      ),
    },
  };
}

async function comparePrefix() {
  const { ours, theirs } = sidesOf(PREFIX);
  const run = (side, round) => measurePrefix(side, PREFIX, round);
  const { found, probe } = await inTurns(PREFIX.name, { ours, theirs }, run);
  const { streams } = PREFIX;
  const { atBest, atWorst } = found[0].ours;
  const title = `${streams} clients at once on a fresh server, 1,000 prompt tokens shared: ${atBest} tokens with these computed once, ${atWorst} without sharing`;
  return {
    ...head(PREFIX.name, title),
    ...{ load: probe.load(), settings: { threads, streams, atBest, atWorst, waiting } },
    ...{ limits: probe.limits(), rows: prefixRows(PREFIX, found) },
  };
}

/** Each side once a round, in the other order every other round; the machine's limits before each round and behind the last. */
async function inTurns(name, sides, run) {
  const probe = limitsProbe(threads);
  const found = [];
  for (let round = 0; round < rounds; round++) {
    probe.measure();
    const order = Object.keys(sides);
    const results = {};
    for (const key of round % 2 === 0 ? order : order.reverse()) results[key] = await run(sides[key], round);
    found.push(results);
    console.error(`${name}: round ${round + 1} of ${rounds} done, load ${loadavg()[0].toFixed(1)}`);
  }
  probe.measure();
  return { found, probe };
}

function head(name, what) {
  return {
    ...{ name, title: `${name}: ${what}, ${threads} threads`, ours: "gemma serve", peer: "llama-server" },
    ...{ peerVersion: PEER, ...circumstances(), rounds },
  };
}
