// What a benchmark found, as rows of numbers with their spread: printed, recorded, drawn, compared.
//
//   Record    { bench, machine: { cpu, cores, memoryBytes }, scenarios }
//   Scenario  { name, title, ours, peer, date, commit, node, args, load: Spread, rounds, settings, limits, rows }
//             ours, peer: what the two sides are called; peer is null without one. args: of the command
//             limits: of bench/probes/limits.cc, a Spread each
//   Row       { id, label, unit, better, ours, theirs, peer, ratio, limit, share, targets }
//             ours, theirs: Spread of the rounds. peer: whose theirs is, where it is not the scenario's peer
//             ratio: Spread of ours over theirs, round by round
//             limit: what this machine could reach, in the row's unit. share: Spread of ours over it
//             targets: [{ of: "ours" | "ratio" | "share", atLeast } or { of, atMost }]
//   Spread    { median, lowest, highest }
// What does not exist is null.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const DIGITS = 5;
const round = (value) => Number(value.toPrecision(DIGITS));

/** @returns {{ median: number, lowest: number, highest: number }} */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median: round(median), lowest: round(sorted[0]), highest: round(sorted.at(-1)) };
}

/** A row from the numbers of each round. */
export function makeRow(row) {
  const { id, label, unit, better = "higher", ours, theirs = null, peer = null, limit = null, targets = [] } = row;
  return {
    id,
    label,
    unit,
    better,
    ours: spread(ours),
    theirs: theirs && spread(theirs),
    peer,
    ratio: theirs && spread(ours.map((value, i) => value / theirs[i])),
    limit: limit && round(limit),
    share: limit && spread(ours.map((value) => value / limit)),
    targets,
  };
}

/** Whether the median reaches a target; null where the target's measure was not taken. */
export function isReached(row, { of, atLeast, atMost }) {
  if (row[of] === null) return null;
  return atLeast === undefined ? row[of].median <= atMost : row[of].median >= atLeast;
}

export function readRecord(path) {
  const record = JSON.parse(readFileSync(path, "utf8"));
  if (Array.isArray(record?.scenarios) && record.machine !== undefined) return record;
  throw new Error(`${path}: must be a record of a benchmark (--record)`);
}

/** Writes scenarios into a record: others that the file has of this benchmark and machine stay. */
export function writeRecord(path, { bench, machine, scenarios }) {
  const { cpu, cores, memoryBytes } = machine;
  const old = existsSync(path) ? readRecord(path) : { bench, machine: { cpu, cores, memoryBytes }, scenarios: [] };
  if (old.bench !== bench || !isSameMachine(old.machine, machine))
    throw new Error(`${path}: must be a record of ${bench} on this machine, got ${old.bench} on ${old.machine.cpu}`);
  const merged = new Map([...old.scenarios, ...scenarios].map((scenario) => [scenario.name, scenario]));
  mkdirSync(dirname(path), { recursive: true });
  const text = JSON.stringify({ ...old, scenarios: [...merged.values()] });
  writeFileSync(path, `${text.replace(/\{"(?:name|id)":/g, "\n$&")}\n`); // a line a scenario and a row
}

export function isSameMachine(a, b) {
  return a.cpu === b.cpu && a.cores === b.cores;
}
