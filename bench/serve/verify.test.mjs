import { describe, expect, test } from "vitest";
import { isNearTie, parting } from "./verify.mjs";

describe("parting", () => {
  const choice = { logprobs: { tokens: [" a", " city", " in"] } };

  test("is the first token that the other text does not have", () => {
    expect(parting(choice, " a town in")).toBe(1);
    expect(parting(choice, "")).toBe(0);
  });

  test("is null where all of ours is in theirs", () => {
    expect(parting(choice, " a city in")).toBe(null);
    expect(parting(choice, " a city in France")).toBe(null);
  });
});

test("a near-tie is one of the two best", () => {
  expect(isNearTie({ " a": -1, " the": -1.2, " an": -5 })).toBe(true);
  expect(isNearTie({ " a": -1, " the": -1.6 })).toBe(false);
  expect(isNearTie({ " a": -1 })).toBe(false);
  expect(isNearTie(undefined)).toBe(false);
});
