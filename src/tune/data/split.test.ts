import { expect, test } from "vitest";
import fc from "../../../test/fast-check.js";
import type { Example } from "./example.js";
import { countAmong, type HeldOut, splitExamples } from "./split.js";

const texts = (...values: string[]): readonly Example[] =>
  values.map((text, i) => ({ kind: "text", at: `x:${i + 1}`, text }));
const distinct = texts(...Array.from({ length: 50 }, (_, i) => `text ${i}`));
const placesOf = (examples: readonly Example[]) => examples.map(({ at }) => at);

test("the share or number that is wanted, drawn by the seed, in the order of the data", () => {
  for (const [wanted, held] of [
    [{ fraction: 0.1 }, 5],
    [{ fraction: 0.001 }, 1],
    [{ count: 7 }, 7],
    [{ count: 0 }, 0],
    [{ fraction: 0 }, 0],
  ] as const) {
    const { train, heldOut } = splitExamples(distinct, wanted, 1);
    expect([train.length, heldOut.length]).toEqual([50 - held, held]);
    expect(splitExamples(distinct, wanted, 1).heldOut).toEqual(heldOut);
    expect(distinct.filter((one) => heldOut.includes(one))).toEqual(heldOut);
  }
  const drawn = new Set([1, 2, 3].map((seed) => placesOf(splitExamples(distinct, { count: 5 }, seed).heldOut).join()));
  expect(drawn.size).toBe(3);
});

test("those that say the same as one of others are counted", () => {
  expect(countAmong(texts("a  b", "c", "a b "), texts("a\nb", "d"))).toBe(2);
  expect(countAmong([], distinct)).toBe(0);
});

test("duplicates are told and stay together", () => {
  const examples = texts("a b", "c", "a\n b ", "d", "c", "a  b");
  for (let seed = 0; seed < 20; seed++) {
    const { heldOut, duplicates } = splitExamples(examples, { count: 3 }, seed);
    expect(duplicates).toEqual({
      count: 3,
      at: [
        ["x:1", "x:3", "x:6"],
        ["x:2", "x:5"],
      ],
    });
    expect(["x:1,x:3,x:6", "x:2,x:4,x:5"]).toContain(placesOf(heldOut).join());
  }
  const turns = (content: string): Example => ({
    ...{ kind: "chat", at: "y:1" },
    turns: [{ role: "user", content }],
  });
  expect(splitExamples([turns("a b"), turns(" a b"), turns("ab")], { count: 0 }, 0).duplicates.count).toBe(1);
});

test("nothing is in both parts, nothing is lost", () => {
  const values = fc.array(fc.constantFrom("a", "b", "c ", " c", "d\td", "d d", "e", "f", "g"), { minLength: 2 });
  fc.assert(
    fc.property(values, fc.nat(5), fc.nat(1000), (said, count, seed) => {
      const examples = texts(...said);
      const words = (part: readonly Example[]) =>
        new Set(part.map((one) => one.kind === "text" && one.text.replace(/\s+/g, " ").trim()));
      const outcome = attempt(() => splitExamples(examples, { count: Math.min(count, said.length - 1) }, seed));
      if (outcome === undefined) return;
      expect([...outcome.train, ...outcome.heldOut].sort(byPlace)).toEqual([...examples].sort(byPlace));
      const learned = words(outcome.train);
      expect([...words(outcome.heldOut)].filter((one) => learned.has(one))).toEqual([]);
      expect(outcome.heldOut.length).toBeLessThanOrEqual(count);
    }),
    { seed: 6, numRuns: 200 },
  );
});

test.each<[HeldOut, readonly Example[]]>([
  [{ fraction: 1 }, distinct],
  [{ fraction: -0.1 }, distinct],
  [{ fraction: Number.NaN }, distinct],
  [{ fraction: 0.999 }, distinct],
  [{ count: 50 }, distinct],
  [{ count: 1.5 }, distinct],
  [{ count: 1 }, texts("a", "a")],
])("%j is refused", (wanted, examples) => {
  expect(() => splitExamples(examples, wanted, 0)).toThrow(expect.objectContaining({ code: "ERR_RANGE" }));
  expect(() => splitExamples(distinct, { count: 1 }, -1)).toThrow(expect.objectContaining({ code: "ERR_RANGE" }));
});

const byPlace = (a: Example, b: Example) => (a.at < b.at ? -1 : 1);

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_RANGE" });
    return undefined;
  }
}
