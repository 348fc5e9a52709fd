import { expect, test } from "vitest";
import { isRight, labelOf } from "./answer-metric.js";
import { fewShotPrompt, fewShotStops } from "./few-shot.js";
import { textWindows } from "./text-measure.js";

test.each([
  ["exact", " 12\n km ", "12 km", true],
  ["exact", "12 KM", "12 km", false],
  ["contains", "I think it is Paris.", "paris", true],
  ["contains", "The Parisian way", "paris", false],
  ["contains", "It costs 12 €.", "12 €", true],
  ["contains", "112 and 121, so 12", "12", true],
  ["contains", "112 and 121", "12", false],
  ["label", "Positive.", "positive", true],
  ["label", '**"very positive"** indeed', "very positive", true],
  ["label", "very positive", "very", false],
  ["label", "positively so", "positive", false],
  ["label", "It is positive", "positive", false],
  ["label", "", "positive", false],
] as const)("%s: %j for %j is %s", (metric, answer, reference, wanted) => {
  expect(isRight(metric, answer, reference, ["positive", "negative", "very", "very positive"])).toBe(wanted);
});

test("a label is the longest that the answer begins with", () => {
  expect(labelOf("(Neg+ or so", ["neg", "neg+"])).toBe("neg+");
  expect(labelOf("none of them", ["neg", "neg+"])).toBeNull();
});

const user = (content: string) => ({ role: "user", content }) as const;

test("worked examples come as plain questions and answers", () => {
  const shots = [{ messages: [user("2 + 2?")], answer: "4 " }];
  expect(fewShotPrompt(shots, [user(" 3 + 3? ")])).toBe("Question: 2 + 2?\nAnswer: 4\n\nQuestion: 3 + 3?\nAnswer:");
});

test("a shared instruction stands once, others before their questions, turns in their order", () => {
  const system = { role: "system", content: "Add." } as const;
  const shots = [{ messages: [system, user("2, 2")], answer: "4" }];
  expect(fewShotPrompt(shots, [system, user("3, 3")])).toBe(
    "Add.\n\nQuestion: 2, 2\nAnswer: 4\n\nQuestion: 3, 3\nAnswer:",
  );
  const turns = [user("3, 3"), { role: "assistant", content: "6" } as const, user("and 1?")];
  expect(fewShotPrompt(shots, turns)).toBe(
    "Add.\nQuestion: 2, 2\nAnswer: 4\n\nQuestion: 3, 3\nAnswer: 6\n\nQuestion: and 1?\nAnswer:",
  );
});

test("an answer ends with its line where all references are lines", () => {
  expect(fewShotStops(["yes", "no "])).toEqual(["\n"]);
  expect(fewShotStops(["yes", "a\nb"])).toEqual(["\nQuestion:", "\n\n"]);
});

test("windows begin at words and lie evenly", () => {
  const text = Array.from({ length: 4000 }, (_, i) => `word${i}`).join(" ");
  const windows = textWindows(text, 5);
  expect(windows).toHaveLength(5);
  for (const window of windows) {
    expect(window).toMatch(/^word\d+ .* word\d+$/);
    expect(Math.abs(window.length - 1500)).toBeLessThan(20);
  }
  const starts = windows.map((window) => text.indexOf(window));
  expect(starts[0]).toBe(0);
  for (const [i, start] of starts.entries()) expect(Math.abs(start - (i * text.length) / 5)).toBeLessThan(20);
  expect(windows.join("").length).toBeLessThan(text.length);
});

test("all of a short text, nothing of an empty one, and characters stay whole without spaces", () => {
  expect(textWindows("only this", 40)).toEqual(["only this"]);
  expect(textWindows("", 40)).toEqual([]);
  expect(textWindows("  \n ", 40)).toEqual([]);
  const dense = "𝄞".repeat(4000);
  for (const window of textWindows(dense, 3)) expect(window).toMatch(/^(𝄞)+$/u);
});
