import { expect, test, vi } from "vitest";
import fc from "../../../test/fast-check.js";
import { Admission, type Visitor } from "./admission.js";

const never = new AbortController().signal;
const visitor = (tenant = "", priority = 0, signal = never): Visitor => ({ tenant, priority, signal });
const limits = { concurrentRequests: 1, queueLength: 3, queueSeconds: 60 };
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("who comes beyond the limit waits; who comes beyond the queue is told when to come again", async () => {
  const door = new Admission({ ...limits, queueLength: 1 });
  const leave = await door.enter(visitor());
  const second = door.enter(visitor());
  await expect(door.enter(visitor())).rejects.toMatchObject({
    code: "ERR_QUEUE_FULL",
    retryAfterSeconds: expect.closeTo(4, 0),
  });
  expect([door.running, door.waiting]).toEqual([1, 1]);
  leave();
  leave(); // does nothing
  (await second)();
  expect([door.running, door.waiting]).toEqual([0, 0]);
});

test("priority goes first, then who has fewest at work, then who came first", async () => {
  const door = new Admission({ ...limits, concurrentRequests: 2, queueLength: 10 });
  const leaves = [await door.enter(visitor("a")), await door.enter(visitor("b"))];
  const order: string[] = [];
  const wait = (name: string, tenant: string, priority = 0) =>
    door.enter(visitor(tenant, priority)).then((leave) => {
      order.push(name);
      leaves.push(leave);
    });
  const all = [wait("a1", "a"), wait("a2", "a"), wait("b1", "b"), wait("c1", "c"), wait("late but urgent", "a", 5)];
  while (leaves.length > 0) {
    leaves.shift()!();
    await turn();
  }
  await Promise.all(all);
  expect(order).toEqual(["late but urgent", "b1", "a1", "c1", "a2"]);
});

test("a full queue is not one tenant's: who has more gives way to who has less, and to what is urgent", async () => {
  const door = new Admission({ ...limits, queueLength: 4 });
  const leave = await door.enter(visitor("a"));
  const refused: string[] = [];
  const wait = (name: string, tenant: string, priority = 0) =>
    door.enter(visitor(tenant, priority)).catch(({ code, retryAfterSeconds }) => {
      expect([code, retryAfterSeconds > 0]).toEqual(["ERR_QUEUE_FULL", true]);
      refused.push(name);
    });
  for (const name of ["a1", "a2", "a3", "a4"]) void wait(name, "a");
  void wait("b1", "b"); // for a4
  void wait("b2", "b"); // for a3
  await turn();
  expect(refused).toEqual(["a4", "a3"]);
  void wait("b3", "b"); // as many as a has
  void wait("a5", "a");
  await turn();
  expect(refused.slice(2)).toEqual(["b3", "a5"]);
  void wait("urgent", "a", 1); // for a2
  void wait("lazy", "c", -1);
  await turn();
  expect(refused.slice(4).sort()).toEqual(["a2", "lazy"]);
  expect([door.running, door.waiting]).toEqual([1, 4]);
  leave();
});

test("who gives up leaves the queue with his own reason", async () => {
  const door = new Admission(limits);
  const leave = await door.enter(visitor());
  const controller = new AbortController();
  const waiting = door.enter(visitor("", 0, controller.signal));
  controller.abort("enough");
  await expect(waiting).rejects.toBe("enough");
  await expect(door.enter(visitor("", 0, controller.signal))).rejects.toBe("enough");
  expect(door.waiting).toBe(0);
  leave();
});

test("the longest wait ends in ERR_OVERLOADED", async () => {
  vi.useFakeTimers();
  const door = new Admission({ ...limits, queueSeconds: 2 });
  const leave = await door.enter(visitor());
  const waiting = expect(door.enter(visitor())).rejects.toMatchObject({ code: "ERR_OVERLOADED" });
  await vi.advanceTimersByTimeAsync(2000);
  await waiting;
  leave();
  expect([door.running, door.waiting]).toEqual([0, 0]);
  vi.useRealTimers();
});

test("whatever comes and goes, never more than allowed are inside, and nobody is forgotten", async () => {
  const seed = 20261130;
  const step = fc.record({
    tenant: fc.constantFrom("a", "b", "c"),
    priority: fc.integer({ min: -1, max: 1 }),
    gives: fc.boolean(),
  });
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 40 }),
    fc.integer({ min: 1, max: 4 }),
    async (steps, most) => {
      const door = new Admission({ concurrentRequests: most, queueLength: 5, queueSeconds: 60 });
      const inside: (() => void)[] = [];
      let [answered, given] = [0, 0];
      const work: Promise<void>[] = [];
      for (const { tenant, priority, gives } of steps) {
        const controller = new AbortController();
        const entered = door.enter(visitor(tenant, priority, controller.signal)).then(
          (leave) => void inside.push(leave),
          () => void given++,
        );
        work.push(entered.then(() => void answered++));
        if (gives) controller.abort();
        await turn();
        if (door.running > most || door.waiting > 5) return false;
        if (inside.length > 0 && priority >= 0) inside.shift()!();
      }
      while (answered < steps.length || inside.length > 0) {
        await turn();
        inside.shift()?.();
      }
      await Promise.all(work);
      return door.running === 0 && door.waiting === 0;
    },
  );
  await fc.assert(property, { seed, numRuns: 60 });
});
