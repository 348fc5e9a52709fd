// A server under mixed traffic for half an hour: nothing may grow, nothing may be left behind.
//     npm run bench:serve-soak -- [--minutes 30] [--clients 6] [--warm-up SHARE] [--model FILE] [--threads 2] [--tokens 24]
//         [--adapter NAME=DIR] [--max-growth MB_PER_HOUR] [--flags="..."] [--cli FILE]
// traffic.mjs has the kinds of requests. Memory is fitted by least squares behind the warm-up. Exit code 1 when something
// does not hold.

import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeMachine, machineLine } from "../lib/machine.mjs";
import { Checks } from "./lib/checks.mjs";
import { Client } from "./lib/client.mjs";
import { leftovers } from "./lib/leftovers.mjs";
import { expectProc } from "./lib/proc.mjs";
import { startServer } from "./lib/process.mjs";
import { picker } from "./lib/prompts.mjs";
import { gemmaSide } from "./lib/sides.mjs";
import { slope, tally } from "./lib/stats.mjs";
import { watchServer } from "./lib/watch.mjs";
import { adapterTraffic, KINDS } from "./traffic.mjs";
import { modelName } from "./verify.mjs";

const SAMPLE_MS = 2000;
const MORE_DESCRIPTORS = 8; // than at the end of the warm-up: connections come and go
const SETTLE_MS = 3000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    clients: { type: "string", default: "6" },
    "warm-up": { type: "string", default: "0.2" },
    model: { type: "string", default: "gemma-3-270m" },
    threads: { type: "string", default: "2" },
    tokens: { type: "string", default: "24" },
    adapter: { type: "string" },
    "max-growth": { type: "string", default: "20" },
    flags: { type: "string", default: "" },
    cli: { type: "string", default: fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url)) },
  },
});
const [minutes, clients, warmUp, threads, tokens, maxGrowth] = [
  ...["minutes", "clients", "warm-up", "threads", "tokens", "max-growth"].map((name) => Number(values[name])),
];
const adapter = values.adapter?.split("=")[0];
expectProc();
console.log(machineLine(describeMachine()));
// A small prefix cache is full before memory is looked at.
const flags = ["--prefix-cache", "32", ...values.flags.split(" ").filter((flag) => flag !== "")];
if (values.adapter !== undefined) flags.push("--adapter", values.adapter);
const setup = { model: values.model, threads, streams: 8, context: 2048, flags, cli: values.cli };
const server = await startServer(gemmaSide(setup));
let ended = null;
server.exited.then((how) => {
  ended = how;
});
const client = new Client(server.origin, clients);
const model = await modelName(client);
const kinds = [...KINDS, ...(adapter === undefined ? [] : [[2, "adapter", adapterTraffic]])];
const weighted = kinds.flatMap((kind) => Array(kind[0]).fill(kind));

const watch = watchServer(server.pid, SAMPLE_MS);
const start = performance.now();
const elapsedMs = () => performance.now() - start;
const done = [];
const wrong = [];
const progress = setInterval(showProgress, process.stderr.isTTY ? 1000 : 30_000);
await Promise.all(Array.from({ length: clients }, (_, i) => runClient(i)));
clearInterval(progress);
showProgress();
await watch.stop();
if (process.stderr.isTTY) process.stderr.write("\n");

const checks = new Checks();
for (const [name, count] of tally(done)) console.log(`${name.padEnd(30)}${String(count).padStart(8)}`);
for (const [text, count] of tally(wrong)) console.log(`WRONG ${count} x ${text}`);
checks.expect(wrong.length === 0, `every answer was right (${wrong.length} of ${done.length + wrong.length} were not)`);
checkGrowth();
await checkEnd();
checks.end();
await client.close();
if (ended === null) await server.stop();

async function runClient(index) {
  const pick = picker(index);
  for (let i = 0; elapsedMs() < 60_000 * minutes && ended === null; i++) {
    const [, name, run] = pick(weighted);
    const seed = 100_000 * index + (i % 50_000);
    try {
      await run({ client, model, adapter, seed, pick, tokens });
      done.push(name);
    } catch (error) {
      wrong.push(`${name}: ${error.message}`);
      await sleep(100);
    }
  }
}

function showProgress() {
  const { rssBytes = 0, descriptors = 0 } = watch.samples.at(-1) ?? {};
  const counts = `${done.length} requests, ${wrong.length} wrong`;
  const line = `${(elapsedMs() / 60_000).toFixed(1)} of ${minutes} min: ${counts}, ${(rssBytes / 1e6).toFixed(0)} MB, ${descriptors} descriptors`;
  process.stderr.write(process.stderr.isTTY ? `\r${line}   ` : `${line}\n`);
}

function checkGrowth() {
  const counted = watch.samples.filter(({ atMs }) => atMs >= 60_000 * minutes * warmUp);
  const points = counted.map(({ atMs, rssBytes }) => ({ x: atMs / 3_600_000, y: rssBytes / 1e6 }));
  const { rise, error } = slope(points);
  const range = [points[0].y, points.at(-1).y].map((mb) => mb.toFixed(0)).join(" to ");
  const sure = 2 * error <= maxGrowth ? "" : "; too short a run to tell";
  checks.expect(
    rise - 2 * error <= maxGrowth,
    `memory grows ${rise.toFixed(1)} ± ${(2 * error).toFixed(1)} MB an hour (${range} MB; at most ${maxGrowth}${sure})`,
  );
  const [first, last] = [counted[0], counted.at(-1)].map(({ descriptors }) => descriptors);
  checks.expect(last <= first + MORE_DESCRIPTORS, `descriptors stay: ${first} after the warm-up, ${last} at the end`);
}

async function checkEnd() {
  checks.expect(ended === null, `the server is alive${ended === null ? "" : `: it ended, ${JSON.stringify(ended)}`}`);
  if (ended !== null) return console.log(server.output());
  const left = await leftovers(client, SETTLE_MS);
  checks.expect(left === "", `nothing is left behind${left === "" ? "" : `: ${left}`}`);
}
