import { expect, test } from "vitest";
import fc from "../../test/fast-check.js";
import { PagePool } from "./pages.js";

test("pages go out lowest first, and come back when their last holder lets go", () => {
  const pool = new PagePool(2);
  expect([pool.take(), pool.take(), pool.take()]).toEqual([0, 1, -1]);
  pool.hold(0);
  pool.release(0);
  expect(pool.available).toBe(0);
  pool.release(0);
  expect(pool.available).toBe(1);
  expect(() => pool.release(0)).toThrow(expect.objectContaining({ code: "ERR_BACKEND" }));
});

test("idle pages are those that the prefix tree alone holds, whatever happens in which order", () => {
  const actions = fc.array(
    fc.record({ what: fc.constantFrom("take", "hold", "release", "remember", "forget"), at: fc.nat(9) }),
  );
  fc.assert(
    fc.property(actions, (list) => {
      const pool = new PagePool(5);
      const held: number[] = []; // by sequences, once each time
      const tree = new Set<number>();
      for (const { what, at } of list) {
        const page = held[at % held.length];
        const remembered = [...tree][at % tree.size];
        if (what === "take") {
          const taken = pool.take();
          if (taken >= 0) held.push(taken);
        } else if (what === "hold" && remembered !== undefined) {
          pool.hold(remembered);
          held.push(remembered);
        } else if (what === "release" && page !== undefined) {
          pool.release(page);
          held.splice(held.indexOf(page), 1);
        } else if (what === "remember" && page !== undefined && !tree.has(page)) {
          pool.remember(page);
          tree.add(page);
        } else if (what === "forget" && remembered !== undefined) {
          pool.forget(remembered);
          tree.delete(remembered);
        }
        expect(pool.idle).toBe([...tree].filter((each) => !held.includes(each)).length);
        expect(pool.available).toBe(5 - new Set([...held, ...tree]).size);
      }
    }),
  );
});
