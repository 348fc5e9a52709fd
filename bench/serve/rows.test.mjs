import { expect, test } from "vitest";
import { isReached } from "../lib/record.mjs";
import { prefixRows, serveRows } from "./rows.mjs";
import { SCENARIOS } from "./scenarios.mjs";

const run = (tokensPerSecond, firstP95Ms) => ({
  tokensPerSecond,
  firstP95Ms,
  firstP50Ms: 1,
  gapP95Ms: 1,
  cpuMsPerToken: 1,
  computedTokens: 1,
});
const side = (tokens, first) => ({ greedy: run(tokens, first), peakBytes: 2e6 });

test("16 streams: the bars are on throughput and on the time to the first token", () => {
  const rounds = [{ ours: side(500, 30), plain: side(300, 30), theirs: side(100, 100) }];
  const rows = serveRows(SCENARIOS["16"], rounds, ["greedy"]);
  expect(rows.map(({ id, ratio }) => [id, ratio.median])).toEqual([
    ["greedy tokens", 5],
    ["greedy first50", 1],
    ["greedy first95", 0.3],
    ["greedy gap95", 1],
    ["greedy cpu", 1],
    ["greedy computed", 1],
    ["greedy, no lookup tokens", 3],
    ["greedy, no lookup first50", 1],
    ["greedy, no lookup first95", 0.3],
    ["greedy, no lookup gap95", 1],
    ["greedy, no lookup cpu", 1],
    ["greedy, no lookup computed", 1],
    ["memory", 1],
  ]);
  const barred = rows.filter(({ targets }) => targets.length > 0);
  expect(barred.map((row) => [row.id, isReached(row, row.targets[0])])).toEqual([
    ["greedy tokens", true],
    ["greedy first95", true],
  ]);
});

test("without a run without lookup there are no rows of it", () => {
  const rounds = [{ ours: side(1, 1), plain: null, theirs: side(1, 1) }];
  expect(serveRows(SCENARIOS["4"], rounds, ["greedy"])).toHaveLength(7);
});

test("a shared beginning may be computed once, and a page for each client", () => {
  const rounds = (computed) => [
    { ours: { computed, atBest: 2000, firstP95Ms: 1 }, theirs: { computed: 9000, firstP95Ms: 4 } },
  ];
  const reached = (computed) => {
    const [row] = prefixRows({ streams: 8 }, rounds(computed));
    return isReached(row, row.targets[0]);
  };
  expect([2000, 2128, 2129].map(reached)).toEqual([true, true, false]);
});
