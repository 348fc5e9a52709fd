import { expect, test } from "vitest";
import { encodePair } from "./encode-pair.js";

const BOS = -1;

/** Words with the space before them, spaces by themselves where none follows: the way SentencePiece cuts. */
function encode(text: string): number[] {
  return Array.from(text.matchAll(/ ?[^ \n]+|[ \n]/g), ([piece]) => piece.length);
}

test("the continuation's tokens are those behind the context's", () => {
  expect(encodePair({ context: "Answer:", continuation: " yes it" }, encode, BOS)).toEqual({
    ids: [BOS, 7, 4, 3],
    contextTokens: 2,
  });
});

test("white space at the end of the context moves to the continuation", () => {
  const moved = encodePair({ context: "Answer: ", continuation: "yes" }, encode, BOS);
  expect(moved).toEqual({ ids: [BOS, 7, 4], contextTokens: 2 });
  const lines = encodePair({ context: "Q\n\n", continuation: "A" }, encode, BOS);
  expect(lines).toEqual({ ids: [BOS, 1, 1, 1, 1], contextTokens: 2 });
});

test("a token across the border counts with the context", () => {
  // "sun" + "flower" is one word of nine letters, as long a list of tokens as the context alone.
  expect(encodePair({ context: "sun", continuation: "flower x" }, encode, BOS)).toEqual({
    ids: [BOS, 9, 2],
    contextTokens: 2,
  });
});

test("an empty context is the beginning of the sequence", () => {
  expect(encodePair({ context: "", continuation: "Hi" }, encode, BOS)).toEqual({ ids: [BOS, 2], contextTokens: 1 });
  // White space alone moves as a whole.
  expect(encodePair({ context: " ", continuation: "Hi" }, encode, BOS)).toEqual({ ids: [BOS, 3], contextTokens: 1 });
});

test("what counts as white space is Python's list, not JavaScript's", () => {
  const lengthOf = (context: string) =>
    encodePair({ context, continuation: "x" }, (text) => [...text].map(() => 0), BOS);
  expect(lengthOf("a\x1f").contextTokens).toBe(2); // a unit separator is stripped
  expect(lengthOf("a\u3000").contextTokens).toBe(2);
  expect(lengthOf("a\ufeff").contextTokens).toBe(3); // a byte order mark is not
});
