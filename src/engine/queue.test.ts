import { describe, expect, test } from "vitest";
import fc from "../../test/fast-check.js";
import { FairQueue, type Queued } from "./queue.js";

interface TestJob extends Queued {
  readonly name: string;
}

function job(name: string, options: Partial<Queued> = {}): TestJob {
  return { name, tenant: "", priority: 0, remaining: 10, arrival: -1, ...options };
}

const order = (queue: FairQueue<TestJob>) => Array.from(queue.inOrder(), ({ name }) => name);

describe("order", () => {
  test("priority before tenant before arrival", () => {
    const queue = new FairQueue<TestJob>();
    queue.add(job("a1", { tenant: "a" }));
    queue.add(job("a2", { tenant: "a" }));
    queue.add(job("b1", { tenant: "b" }));
    queue.add(job("low", { tenant: "c", priority: -1 }));
    queue.add(job("high", { tenant: "a", priority: 7 }));
    expect(order(queue)).toEqual(["high", "a1", "b1", "a2", "low"]);
    queue.charge(job("", { tenant: "a" }), 5); // what "a" had at another priority does not count here
    expect(order(queue)).toEqual(["high", "b1", "a1", "a2", "low"]);
  });

  test("who was under work waits in front of its tenant's others", () => {
    const queue = new FairQueue<TestJob>();
    const first = job("first");
    for (const each of [first, job("second"), job("third")]) queue.add(each);
    expect(queue.remove(first)).toBe(true);
    expect(queue.remove(first)).toBe(false);
    expect([queue.size, queue.all().length]).toEqual([2, 2]);
    queue.putBack(first);
    expect(order(queue)).toEqual(["first", "second", "third"]);
  });
});

describe("nobody saves up credit", () => {
  test("a tenant that comes, or comes back, joins where the least served of the others are", () => {
    const queue = new FairQueue<TestJob>();
    const [early, busy] = [job("early", { tenant: "early" }), job("busy", { tenant: "busy" })];
    for (const each of [early, busy]) queue.add(each);
    queue.settle([]);
    queue.remove(early); // served without any work
    queue.settle([]);
    queue.charge(busy, 1000);
    queue.add(job("new", { tenant: "new" }));
    queue.add(job("back", { tenant: "early" }));
    queue.settle([]);
    const served = ["busy", "new", "early"].map((tenant) => queue.served(job("", { tenant })));
    expect(served).toEqual([1000, 1000, 1000]);
  });

  test("who only decodes keeps what it was served, and no advantage over those with prompts", () => {
    const queue = new FairQueue<TestJob>();
    const [talker, reader] = [job("talker", { tenant: "talker" }), job("reader", { tenant: "reader" })];
    queue.add(reader);
    for (let step = 0; step < 100; step++) {
      queue.settle([]);
      queue.charge(talker, 1);
      queue.charge(reader, 60);
    }
    queue.add(talker);
    queue.settle([]);
    expect(queue.served(reader) - queue.served(talker)).toBeLessThanOrEqual(60);
    for (let step = 0; step < 1000; step++) queue.charge(talker, 60);
    queue.remove(talker);
    queue.settle([]);
    queue.add(talker); // it was served in advance, and leaving does not undo that
    queue.settle([]);
    expect(queue.served(talker) - queue.served(reader)).toBeGreaterThan(50_000);
  });
});

// A step: some jobs come, then the first in order is computed whole.
const arrivals = fc.array(
  fc.array(
    fc.record({
      tenant: fc.nat(3),
      priority: fc.integer({ min: -1, max: 1 }),
      remaining: fc.integer({ min: 1, max: 100 }),
    }),
    { maxLength: 3 },
  ),
  { maxLength: 60 },
);

test("any arrivals: each job once, priorities first, tenants in turns, in order of arrival", () => {
  fc.assert(
    fc.property(arrivals, (steps) => {
      const queue = new FairQueue<TestJob>();
      const waiting: TestJob[] = [];
      for (const [step, batch] of [...steps, ...Array(200).fill([])].entries()) {
        for (const { tenant, priority, remaining } of batch) {
          const each = job(`${step}`, { tenant: `${tenant}`, priority, remaining });
          queue.add(each);
          waiting.push(each);
        }
        queue.settle([]);
        const all = [...queue.inOrder()];
        expect(new Set(all)).toEqual(new Set(waiting));
        expect(all.length).toBe(queue.size);
        const next = all[0];
        if (!next) continue;
        const rivals = waiting.filter(({ priority }) => priority === next.priority);
        expect(next.priority).toBe(Math.max(...waiting.map(({ priority }) => priority)));
        expect(next.arrival).toBe(
          Math.min(...rivals.filter(({ tenant }) => tenant === next.tenant).map(({ arrival }) => arrival)),
        );
        queue.remove(next);
        waiting.splice(waiting.indexOf(next), 1);
        queue.charge(next, next.remaining);
        for (const { tenant } of rivals) {
          const ahead = queue.served(next) - queue.served(job("", { tenant, priority: next.priority }));
          expect(ahead).toBeLessThanOrEqual(100); // one job more than the least served of those who wait
        }
      }
      expect(queue.size).toBe(0);
    }),
  );
});

test("tenants that are gone are forgotten", () => {
  const queue = new FairQueue<TestJob>();
  const steady = job("steady", { tenant: "steady" });
  queue.add(steady);
  for (let i = 0; i < 3000; i++) {
    const visitor = job("visitor", { tenant: `visitor ${i}` });
    queue.add(visitor);
    queue.settle([]);
    queue.charge(visitor, 1_000_000); // far ahead of `steady`: their debt is worth keeping, up to a number
    queue.remove(visitor);
  }
  queue.settle([]);
  const inner = queue as unknown as { levels: Map<number, { accounts: Map<string, unknown> }> };
  expect(inner.levels.get(0)!.accounts.size).toBeLessThan(1100);
});
