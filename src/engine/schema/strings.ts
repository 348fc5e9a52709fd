import { type CharRange, chars, choice, type Expr, type Grammar, sequence, text } from "./grammar.js";

/** Characters that stand for themselves in a JSON string: all but `"`, `\` and control characters. */
export const PLAIN: readonly CharRange[] = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0xd7ff],
  [0xe000, 0x10ffff],
];

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
  const rest = grammar.shared("chars", (self) => choice(QUOTE, sequence(oneOf(PLAIN), self), ...escaped(self)));
  if (minLength === 0) return sequence(QUOTE, rest);
  return sequence(QUOTE, choice(sequence(oneOf(PLAIN), rest), ...escaped(rest)));
}

function escaped(rest: Expr): Expr[] {
  return [...ESCAPES.values()].map((written) => sequence(text(written), rest));
}

/** One character out of `ranges`, as a JSON string writes it. */
export function oneOf(ranges: readonly CharRange[]): Expr {
  const plain = ranges.flatMap(([from, to]) =>
    PLAIN.map(([low, high]): CharRange => [Math.max(from, low), Math.min(to, high)]),
  );
  const escapes = [...ESCAPES].filter(([code]) => ranges.some(([from, to]) => from <= code && code <= to));
  return choice(chars(...plain), ...escapes.map(([, written]) => text(written)));
}
