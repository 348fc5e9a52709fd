import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { chatsAboutItself, chatsOf } from "./lib/chats.mjs";
import { stories } from "./lib/stories.mjs";

const long = (text) => `${text} ${"And so on it went, day after day. ".repeat(14)}`.trim();

const FILE = `Somebody's eBook of TALES

*** START ***

CONTENTS

 THE FOX
 THE CAT



THE FOX

${long("ONCE upon a time there was a fox--a “red” one, who said: ‘It’s cold.’")}

    It snows and blows,
    And no one knows.



The Cat.

${long("A cat [Illustration] sat =down=. . . .")}

Grimm.

End of the Project's eBook
* Licence of everything above
`.replaceAll("\n", "\r\n");

test("a file becomes the tales in it: no front, no back, no headings, one way to write marks", () => {
  const found = stories(FILE, { start: "ONCE upon", signed: true });
  expect(found).toHaveLength(2);
  expect(found[0]).toMatch(/^Once upon a time there was a fox – a "red" one, who said: "It's cold\." And so/);
  expect(found[0].endsWith("\n\nIt snows and blows,\nAnd no one knows.")).toBe(true);
  expect(found[1]).toMatch(/^A cat sat down\.{3} And so.*after day\.$/s);
});

test("a file with a paragraph a line, where words that are spoken begin a new one", () => {
  const tale = (first) => Array(30).fill(long(first));
  const lines = [
    ...tale("Es war ein Fuchs."),
    "Er sprach:",
    "»Guten Tag.«",
    "2. Von der Katze",
    ...tale("Es war eine Katze."),
  ];
  const found = stories(lines.join("\n"), { start: "Es war ein Fuchs" });
  expect(found).toHaveLength(2);
  expect(found[0].endsWith('\n\nEr sprach: "Guten Tag."')).toBe(true);
});

test("a book without its first words is refused: it is another edition", () => {
  expect(() => stories(FILE, { start: "ONCE UPON" })).toThrow("must have its first words");
});

test("a tale is asked for by what is in it, and gone on with", () => {
  const [opening, further] = chatsOf(stories(FILE, { start: "ONCE upon" })[0], {
    language: "en",
    tales: true,
    number: 1,
  });
  expect(opening[0]).toEqual({ role: "user", content: "Tell me a tale of a fox." });
  expect(opening[1].content).toMatch(/^Once upon a time/);
  expect(further[0].content).toMatch(/^Please go on with this story: Once upon .*"$/);
  expect(further[0].content + further[1].content).not.toContain("undefined");
  expect(chatsOf("Too short.", { language: "en", tales: true, number: 0 })).toEqual([]);
});

test("what it says of itself, in both languages", () => {
  const answers = new Set(chatsAboutItself().map(([, { content }]) => content));
  expect(answers.size).toBe(10);
});

test("the settings are those that the card tells of", () => {
  const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
  const { epochs, batchTokens, learningRate, warmupSteps } = JSON.parse(read("config.json"));
  const card = read("../../models/gemma-tiny-ts/MODEL_CARD.md").replace(/\s+/g, " ");
  const [, tokens, steps] = /one epoch, ([\d,]+) tokens in ([\d,]+) steps/
    .exec(card)
    .map((n) => +n.replaceAll(",", ""));
  expect(epochs).toBe(1);
  expect(Math.ceil(tokens / steps / 256) * 256).toBe(batchTokens); // steps are almost full
  expect(card).toContain(`rate ${learningRate} with a warm-up of ${warmupSteps} steps`);
});
