// Whether a benchmark became slower than a record of it says.
//
// Ratios are compared: ours over the peer's, else the share of the machine's limit, else our own value. A row has lost when
// its median is worse than every recorded round, every new round is worse than the recorded median, and the medians are more
// than 3 % apart. With five rounds on either side chance alone does that about once in forty rows.
import { isSameMachine } from "./record.mjs";

const LEAST_CHANGE = 0.03;
const LEAST_ROUNDS = 3; // fewer show no spread

/**
 * @returns [{ scenario, row, measure, before, after, change, verdict }], verdict "LOST", "gained", "same" or "GONE"
 * @throws when the two cannot be compared
 */
export function compareRecords(before, after) {
  if (before.bench !== after.bench || !isSameMachine(before.machine, after.machine))
    throw new Error(
      `records must be of one benchmark and machine, got ${[before, after].map(({ bench, machine }) => `${bench} on ${machine.cpu} (${machine.cores} cores)`).join(" and ")}`,
    );
  const results = [];
  for (const scenario of after.scenarios) {
    const old = before.scenarios.find(({ name }) => name === scenario.name);
    if (old === undefined) continue; // a new one
    for (const { name, rounds } of [old, scenario]) {
      if (rounds < LEAST_ROUNDS) throw new Error(`${name}: must have ${LEAST_ROUNDS} rounds at least, got ${rounds}`);
    }
    for (const row of old.rows.filter(({ peer }) => peer === null)) {
      const found = scenario.rows.find(({ id }) => id === row.id);
      results.push({ scenario: scenario.name, row, ...compareRows(row, found) });
    }
  }
  if (results.length === 0) throw new Error("the two records have no scenario in common");
  return results;
}

/** @param row the new one, or undefined */
export function compareRows(old, row) {
  const measure = ["ratio", "share", "ours"].find((name) => old[name] !== null);
  const before = old[measure];
  const after = row?.[measure] ?? null;
  if (after === null) return { measure, before, after, change: null, verdict: "GONE" };
  const change = after.median / before.median - 1;
  const isWorse = (a, b) => (old.better === "higher" ? a < b : a > b);
  const isApart = (a, b) => {
    const [worst, best] = old.better === "higher" ? [b.lowest, a.highest] : [b.highest, a.lowest];
    return isWorse(a.median, worst) && isWorse(best, b.median);
  };
  const isChange = Math.abs(change) > LEAST_CHANGE;
  const verdict = isChange && isApart(after, before) ? "LOST" : isChange && isApart(before, after) ? "gained" : "same";
  return { measure, before, after, change, verdict };
}
