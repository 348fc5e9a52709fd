import { expect, test } from "vitest";
import fc from "../../test/fast-check.js";
import { StopMatcher } from "./stop.js";

function stream(pieces: readonly string[], stops: readonly string[]): { text: string; found: string | null } {
  const matcher = new StopMatcher(stops);
  let text = "";
  for (const piece of pieces) text += matcher.push(piece);
  return { text: text + matcher.end(), found: matcher.found };
}

test("a stop string across pieces ends the text before it", () => {
  expect(stream(["Hello, wo", "rld\nQues", "tion: no"], ["\nQuestion:"])).toEqual({
    text: "Hello, world",
    found: "\nQuestion:",
  });
});

test("the beginning of a stop string that does not go on is shown after all", () => {
  expect(stream(["ab", "a"], ["abc"])).toEqual({ text: "aba", found: null });
});

test("of several stop strings the one that begins first wins", () => {
  expect(stream(["xx END STOP"], ["STOP", "END"])).toEqual({ text: "xx ", found: "END" });
});

test("nothing is shown that belongs to a stop string, however the text is cut", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });
  const stop = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(letters), fc.array(stop, { maxLength: 3 }), (pieces, stops) => {
      const whole = pieces.join("");
      const at = Math.min(...stops.map((s) => whole.indexOf(s)).filter((i) => i >= 0));
      const { text, found } = stream(pieces, stops);
      // A longer stop string may complete later than a shorter one that begins behind it.
      if (found === null) expect(text).toBe(whole);
      else expect(whole.startsWith(text) && text.length >= at).toBe(true);
      if (stops.length <= 1) expect(text).toBe(Number.isFinite(at) ? whole.slice(0, at) : whole);
    }),
    { seed: 1 },
  );
});
