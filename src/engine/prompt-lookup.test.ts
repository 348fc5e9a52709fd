import { expect, test } from "vitest";
import { PromptLookup } from "./prompt-lookup.js";

/** A sequence that starts as `prompt` and goes on with `answer`. */
function follow(prompt: readonly number[], answer: readonly number[]) {
  const tokens = [...prompt];
  const lookup = new PromptLookup(tokens);
  const push = (token: number) => {
    tokens.push(token);
    lookup.next();
  };
  for (const token of answer) push(token);
  return { lookup, push };
}

test("guesses what followed the same two tokens, the last time", () => {
  expect(follow([1, 2, 3, 4, 9, 1, 2, 5, 6], [1]).lookup.hasGuess).toBe(false);
  const { lookup } = follow([1, 2, 3, 4, 9, 1, 2, 5, 6], [1, 2]);
  expect(lookup.draft(3)).toEqual([5, 6, 1]);
});

test("goes on where it was right, also where the same tokens stood later", () => {
  const { lookup, push } = follow([1, 2, 3, 4, 5, 6, 7, 8, 4, 5, 9], [2, 3, 4]);
  expect(lookup.hasGuess).toBe(true); // from 2, 3, followed by 4
  push(5);
  expect(lookup.draft(2)).toEqual([6, 7]);
});

test("a repetition shorter than the draft goes on in it", () => {
  const { lookup } = follow([7, 8], [9, 7, 8]);
  expect(lookup.draft(7)).toEqual([9, 7, 8, 9, 7, 8, 9]);
});

test("trusts by what it sees, drafted or not", () => {
  const text = Array.from({ length: 40 }, (_, i) => 100 + i);
  const { lookup, push } = follow(text, [100, 101]);
  const before = lookup.trust;
  lookup.draft(4);
  for (const token of [102, 103, 50]) push(token);
  expect(lookup.hasGuess).toBe(false);
  for (const token of [110, 111, 112, 113, 114]) push(token); // three right guesses that nobody asked for
  expect(lookup.trust).toBeGreaterThan(before);
  for (let i = 0; i < 5; i++) for (const token of [120 + 2 * i, 121 + 2 * i, 50]) push(token);
  expect(lookup.trust).toBeLessThan(before);
});

test("a text longer than the table forgets, and never guesses from tokens that differ", () => {
  const tokens = Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 262_144);
  const { lookup, push } = follow(tokens, []);
  let guesses = 0;
  for (let at = 0; at < tokens.length; at += 997) {
    push(tokens[at]!);
    push(tokens[at + 1]!);
    if (!lookup.hasGuess) continue;
    guesses++;
    expect(lookup.draft(1)).toEqual([tokens[at + 2]]);
  }
  expect(guesses).toBeGreaterThan(0);
  expect(guesses).toBeLessThan(60);
});
