// Measures again what a record holds, or takes a second record, and compares. Exit code 1 when something became slower.
//     npm run bench:check -- --against bench/results/MACHINE/peers.json [--new FILE] [--scenario NAME ...]
// bench/lib/regression.mjs says what counts as slower.
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readRecord } from "./lib/record.mjs";
import { compareRecords } from "./lib/regression.mjs";
import { digitsOf } from "./lib/table.mjs";

const BENCHES = {
  peers: "peers/peers.mjs",
  serve: "serve/serve.mjs",
  ops: "native-ops.mjs",
  matmul: "native-matmul.mjs",
  lookup: "lookup.mjs",
  "eval-speed": "eval/speed.mjs",
};
const REPEATED = fileURLToPath(new URL("../build/bench/check.json", import.meta.url));

const { values } = parseArgs({
  options: {
    against: { type: "string" },
    new: { type: "string" },
    scenario: { type: "string", multiple: true },
  },
});
if (values.against === undefined) {
  console.error("usage: npm run bench:check -- --against FILE [--new FILE] [--scenario NAME ...]");
  process.exit(2);
}
const recorded = readRecord(values.against);
const { scenario: names = recorded.scenarios.map(({ name }) => name) } = values;
const before = { ...recorded, scenarios: recorded.scenarios.filter(({ name }) => names.includes(name)) };
const results = compareRecords(before, values.new === undefined ? measureAgain(before) : readRecord(values.new));

console.log(
  `${"scenario".padEnd(14)}${"row".padEnd(44)}${"of".padEnd(7)}${"recorded".padStart(26)}${"now".padStart(26)}`,
);
for (const { scenario, row, measure, before: old, after, change, verdict } of results) {
  const what = `${scenario.padEnd(14)}${row.label.padEnd(44)}${measure.padEnd(7)}`;
  const changed = change === null ? "" : `${change > 0 ? "+" : ""}${(100 * change).toFixed(1)} %`;
  console.log(`${what}${show(old).padStart(26)}${show(after).padStart(26)}${changed.padStart(9)}  ${verdict}`);
}
const failed = results.filter(({ verdict }) => verdict === "LOST" || verdict === "GONE");
console.log(failed.length === 0 ? "ok" : `FAILED: ${failed.length} of ${results.length} rows`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Runs the commands that made the scenarios, each once. */
function measureAgain({ bench, scenarios }) {
  rmSync(REPEATED, { force: true });
  const script = fileURLToPath(new URL(BENCHES[bench], import.meta.url));
  for (const args of new Set(scenarios.map((scenario) => JSON.stringify(scenario.args)))) {
    execFileSync(process.execPath, [script, ...JSON.parse(args), "--record", REPEATED], { stdio: "inherit" });
  }
  return readRecord(REPEATED);
}

function show(spread) {
  if (spread === null) return "";
  const [median, lowest, highest] = [spread.median, spread.lowest, spread.highest].map((value) =>
    value.toFixed(digitsOf(spread.median)),
  );
  return `${median} (${lowest}..${highest})`;
}
