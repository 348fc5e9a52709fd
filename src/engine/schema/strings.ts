import { ASCII_END, type CharRange, chars, choice, type Expr, type Grammar, sequence, text } from "./grammar.js";

/** ASCII characters that stand for themselves in a JSON string: all but `"`, `\` and control characters. */
const PLAIN: readonly CharRange[] = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, ASCII_END],
];
const PLAIN_CHARS = chars(PLAIN, true);

/** Beyond ASCII a class is written out, up to this many characters. */
const MAX_LISTED = 64;
const BEYOND = 0xd800 - 0x80 + (0x110000 - 0xe000);

/** Characters with a short escape. Those without one, rare control characters, are never written. */
const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x22, '\\"'],
  [0x5c, "\\\\"],
  [0x08, "\\b"],
  [0x0c, "\\f"],
  [0x0a, "\\n"],
  [0x0d, "\\r"],
  [0x09, "\\t"],
]);

const QUOTE = text('"');

/** Any string, or any but the empty one. */
export function anyString(grammar: Grammar, minLength: 0 | 1): Expr {
  // Recursion instead of repetition: the library computes masks for it twice as fast.
  const rest = grammar.shared("chars", (self) => choice(QUOTE, sequence(PLAIN_CHARS, self), ...escaped(self)));
  if (minLength === 0) return sequence(QUOTE, rest);
  return sequence(QUOTE, choice(sequence(PLAIN_CHARS, rest), ...escaped(rest)));
}

function escaped(rest: Expr): Expr[] {
  return [...ESCAPES.values()].map((written) => sequence(text(written), rest));
}

/**
 * One character out of `ranges` (which do not overlap), as a JSON string writes it. A class that leaves out a few
 * characters beyond ASCII leaves out all of them. null: too many beyond ASCII to be written out, but not all.
 */
export function oneOf(ranges: readonly CharRange[]): Expr | null {
  const ascii = ranges.flatMap(([from, to]) =>
    PLAIN.map(([low, high]): CharRange => [Math.max(from, low), Math.min(to, high)]),
  );
  const escapes = [...ESCAPES].filter(([code]) => ranges.some(([from, to]) => from <= code && code <= to));
  const beyond = ranges
    .filter(([, to]) => to > ASCII_END)
    .map(([from, to]) => [Math.max(from, ASCII_END + 1), to] as const);
  const count = beyond.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const listed: Expr[] = [];
  if (count <= MAX_LISTED) {
    for (const [from, to] of beyond) {
      for (let code = from; code <= to; code++) listed.push(text(String.fromCodePoint(code)));
    }
  } else if (count < BEYOND - MAX_LISTED) return null;
  return choice(chars(ascii, count >= BEYOND), ...escapes.map(([, written]) => text(written)), ...listed);
}
