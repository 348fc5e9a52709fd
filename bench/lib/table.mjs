// Scenarios as text.
import { describeMachine, limitsLine, machineLine } from "./machine.mjs";
import { isReached, writeRecord } from "./record.mjs";

const WIDTH = 52;

/** Prints a benchmark's one scenario, as a table or with `json` as a record, and keeps it where `record` says. */
export function publish({ json, record }, bench, scenario) {
  const result = { bench, machine: describeMachine(), scenarios: [scenario] };
  if (json) console.log(JSON.stringify(result));
  else {
    console.log(machineLine(result.machine));
    printScenario(scenario);
  }
  if (record) writeRecord(record, result);
}

/** Prints a scenario: medians, in brackets the lowest and the highest of the rounds, and whether targets are reached. */
export function printScenario({ title, ours, peer, rounds, load, limits, rows }) {
  const others = load.highest > load.lowest ? `, load ${load.lowest} to ${load.highest}` : `, load ${load.highest}`;
  console.log(`\n${title}, ${rounds} ${rounds === 1 ? "round" : "rounds"}${others}`);
  const heads = peer === null ? [ours, "of the limit"] : [ours, peer, "ratio", "of the limit"];
  console.log("".padEnd(WIDTH) + heads.map((head, i) => head.padStart(width(i, peer))).join(""));
  for (const row of rows) {
    const beside = peer === null ? [] : [numbers(row.theirs), numbers(row.ratio, 2, " ×")];
    const cells = [numbers(row.ours), ...beside, numbers(row.share && percents(row.share), 0, " %")];
    const versus = row.peer === null ? "" : ` beside ${row.peer}`;
    const label = `${row.label}${versus}, ${row.unit}`.padEnd(WIDTH);
    console.log(`${label}${cells.map((cell, i) => cell.padStart(width(i, peer))).join("")}${verdicts(row)}`);
  }
  if (limits !== null) console.log(limitsLine(limits));
}

const width = (column, peer) => (column === (peer === null ? 1 : 3) ? 20 : 27);

function numbers(spread, digits, unit = "") {
  if (spread === null) return "";
  const { median, lowest, highest } = spread;
  const show = (value) => value.toFixed(digits ?? digitsOf(median));
  const range = lowest === highest ? "" : ` (${show(lowest)}..${show(highest)})`;
  return `${show(median)}${unit}${range}`;
}

/** Enough digits to see 1 %, no more. */
export function digitsOf(value) {
  return Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-3))));
}

function percents({ median, lowest, highest }) {
  return { median: 100 * median, lowest: 100 * lowest, highest: 100 * highest };
}

function verdicts(row) {
  return row.targets
    .filter((target) => isReached(row, target) !== null)
    .map((target) => `  ${isReached(row, target) ? "reaches" : "MISSES"} ${targetText(row, target)}`)
    .join("");
}

export function targetText(row, { of, atLeast, atMost }) {
  const sign = atLeast === undefined ? "≤" : "≥";
  const value = atLeast ?? atMost;
  if (of === "share") return `${sign} ${(100 * value).toFixed(0)} % of the limit`;
  return of === "ratio" ? `${sign} ${value} ×` : `${sign} ${value.toFixed(digitsOf(value))} ${row.unit}`;
}
