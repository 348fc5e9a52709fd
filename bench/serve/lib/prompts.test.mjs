import { expect, test } from "vitest";
import { ownPrompt, picker, sharedPrefix } from "./prompts.mjs";

test("prompts of different seeds part within their first words, those of one seed are equal", () => {
  const beginnings = Array.from({ length: 2000 }, (_, seed) => ownPrompt(seed).slice(0, 60));
  expect(new Set(beginnings).size).toBe(2000);
  expect(ownPrompt(7)).toBe(ownPrompt(7));
  expect(sharedPrefix(1)).not.toBe(sharedPrefix(2));
});

test("prompts have the lengths that the scenarios count on", () => {
  const words = (text) => text.split(/\s+/).length;
  for (let seed = 0; seed < 50; seed++) {
    expect(words(ownPrompt(seed))).toBeGreaterThan(80);
    expect(words(ownPrompt(seed))).toBeLessThan(125);
    expect(words(sharedPrefix(seed))).toBeGreaterThan(860);
    expect(words(sharedPrefix(seed))).toBeLessThan(900);
  }
});

test("picks are spread evenly", () => {
  const counts = [0, 0, 0, 0, 0];
  for (let seed = 0; seed < 1000; seed++) {
    const pick = picker(seed);
    for (let i = 0; i < 10; i++) counts[pick([0, 1, 2, 3, 4])]++;
  }
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
});
