import { expect, test } from "vitest";
import fc from "../../test/fast-check.js";
import { FairQueue, type Queued } from "./queue.js";
import { type Claim, RowShares } from "./row-shares.js";

let arrivals = 0;
function claim(rows: number, options: Partial<Queued> = {}): Claim<Queued> {
  const job = { tenant: "", priority: 0, remaining: rows, arrival: arrivals++, ...options };
  return { job, target: job, rows };
}

/** Rows given to each claim. */
function divide(
  claims: readonly Claim<Queued>[],
  rows: number,
  queue = new FairQueue<Queued>(),
  shares = new RowShares(),
) {
  const given = shares.divide(claims, rows, queue);
  return claims.map(({ target }) => given.get(target) ?? 0);
}

test("a short prompt behind a long one of its tenant gets half, and only what it wants", () => {
  expect(divide([claim(4000), claim(50)], 64)).toEqual([32, 32]);
  expect(divide([claim(4000), claim(50)], 160)).toEqual([110, 50]);
});

test("of equal prompts the oldest is done first", () => {
  expect(divide([claim(100), claim(100), claim(100)], 128)).toEqual([100, 28, 0]);
});

test("where a step has one page, turns go on in the next step", () => {
  const shares = new RowShares();
  const claims = [claim(4000), claim(50)];
  const steps = [1, 2, 3, 4].map(() => divide(claims, 16, new FairQueue(), shares));
  expect(steps).toEqual([
    [16, 0],
    [0, 16],
    [16, 0],
    [0, 16],
  ]);
});

test("tenants have equal shares, however many prompts each has; who was served more waits until the others are there", () => {
  const queue = new FairQueue<Queued>();
  const claims = [claim(500, { tenant: "a" }), claim(500, { tenant: "a" }), claim(500, { tenant: "b" })];
  expect(divide(claims, 128, queue)).toEqual([64, 0, 64]);
  queue.charge(claims[0]!.job, 64);
  expect(divide(claims, 64, queue)).toEqual([0, 0, 64]);
});

test("a higher priority gets all it wants; what is left goes on", () => {
  expect(divide([claim(100), claim(40, { priority: 1 })], 64)).toEqual([24, 40]);
});

test("rows claimed for another job are given to it, and charged to who claimed them", () => {
  const queue = new FairQueue<Queued>();
  const leader = claim(100, { tenant: "slow" });
  queue.charge(leader.job, 1000);
  const follower = { ...claim(500, { tenant: "quick" }), target: leader.target, rows: 80 };
  expect(divide([leader, follower], 64, queue)).toEqual([64, 64]); // the same target
  expect(queue.served(follower.job)).toBe(64);
});

test("all rows that are wanted are given, as far as there are rows, and no others", () => {
  const anyClaim = fc.record({
    rows: fc.integer({ min: 1, max: 300 }),
    tenant: fc.constantFrom("a", "b", "c"),
    priority: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(anyClaim, { maxLength: 12 }), fc.nat(400), (list, rows) => {
      const claims = list.map(({ rows: wanted, ...rest }) => claim(wanted, rest));
      const given = divide(claims, rows);
      for (const [i, { rows: wanted }] of claims.entries()) expect(given[i]).toBeLessThanOrEqual(wanted);
      const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
      expect(sum(given)).toBe(Math.min(rows, sum(claims.map((each) => each.rows))));
    }),
  );
});
