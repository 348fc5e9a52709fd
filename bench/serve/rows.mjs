import { makeRow } from "../lib/record.mjs";
import { SAMPLING } from "./scenarios.mjs";

/** [id, label, unit, measure, what is better] */
const FIGURES = [
  ["tokens", "output", "tokens/s", "tokensPerSecond", "higher"],
  ["first50", "time to first token, p50", "ms", "firstP50Ms", "lower"],
  ["first95", "time to first token, p95", "ms", "firstP95Ms", "lower"],
  ["gap95", "time between pieces, p95", "ms", "gapP95Ms", "lower"],
  ["cpu", "CPU time a token", "ms", "cpuMsPerToken", "lower"],
  ["computed", "prompt computed, of a request", "tokens", "computedTokens", "lower"],
];

/**
 * The rows of a scenario.
 * @param rounds [{ ours, plain, theirs }], outputs of measureSide; plain: ours without prompt lookup, or null
 */
export function serveRows({ targets }, rounds, samplings) {
  const rows = samplings.flatMap((name) => figureRows(rounds, "ours", name, SAMPLING[name].label, targets));
  if (rounds[0].plain !== null) rows.push(...figureRows(rounds, "plain", "greedy", "greedy, no lookup", {}));
  const peak = (side) => rounds.map((round) => round[side].peakBytes / 1e6);
  const memory = { id: "memory", label: "peak memory", unit: "MB", better: "lower" };
  return [...rows, makeRow({ ...memory, ours: peak("ours"), theirs: peak("theirs") })];
}

function figureRows(rounds, side, name, title, targets) {
  return FIGURES.map(([id, label, unit, measure, better]) =>
    makeRow({
      ...{ id: `${title} ${id}`, label: `${title}: ${label}`, unit, better },
      ours: rounds.map((round) => round[side][name][measure]),
      theirs: rounds.map((round) => round.theirs[name][measure]),
      targets: targets[id] ?? [],
    }),
  );
}

/** Rows of prompts that a beginning's pages may cost each client beyond its own text. */
const PAGE = 16;

/** @param rounds [{ ours, theirs }], outputs of measurePrefix */
export function prefixRows({ streams }, rounds) {
  const of = (measure) => ({
    ours: rounds.map(({ ours }) => ours[measure]),
    theirs: rounds.map(({ theirs }) => theirs[measure]),
  });
  const once = rounds[0].ours.atBest + streams * PAGE;
  return [
    makeRow({
      ...{ id: "computed", label: "prompt tokens computed", unit: "tokens", better: "lower", ...of("computed") },
      targets: [{ of: "ours", atMost: once }],
    }),
    makeRow({
      ...{ id: "first95", label: "time to first token, p95", unit: "ms", better: "lower", ...of("firstP95Ms") },
      targets: [],
    }),
  ];
}
