import { expect, test } from "vitest";
import { callIds } from "./call-ids.js";

test("ids follow from the seed and the conversation", () => {
  const first = callIds(1, 2, []);
  expect(first).toEqual(callIds(1, 2, []));
  for (const id of first) expect(id).toMatch(/^call_[A-Za-z0-9]{24}$/);
  const later = callIds(1, 2, first);
  expect(new Set([...first, ...later, ...callIds(2, 2, [])]).size).toBe(6);
  expect(callIds(1, 3, []).slice(0, 2)).toEqual(first);
});

test("an id that is taken is not given again", () => {
  const [, second, third] = callIds(1, 3, []);
  expect(callIds(1, 1, [second!])).toEqual([third]);
});
