import { GemmaError } from "../../base/errors.js";
import { chars, choice, EMPTY, type Expr, NEVER, optional, repeat, sequence, text } from "./grammar.js";

// Numbers are written with at most 15 or 16 digits on each side of the point: a double holds no more, and a model
// that repeats a digit comes to an end.
const INTEGER_DIGITS = 15;
const FRACTION_DIGITS = 15;
const BOUNDED_FRACTION_DIGITS = 8; // each digit near a bound is a state of its own

/** A bound of a range; `strict`: the bound itself is outside. */
export interface Bound {
  readonly value: number;
  readonly strict: boolean;
}

const DIGIT = digitRange(0, 9);
const NATURAL = choice(text("0"), sequence(digitRange(1, 9), repeat(DIGIT, 0, INTEGER_DIGITS - 1)));
const FRACTION = sequence(text("."), repeat(DIGIT, 1, FRACTION_DIGITS));
const EXPONENT = sequence(
  text("e"),
  optional(choice(text("-"), text("+"))),
  choice(DIGIT, sequence(digitRange(1, 9), DIGIT)),
);

/** Integers between two bounds, if any. @throws ERR_SCHEMA when there is none that a double holds exactly */
export function integerExpr(low: Bound | null, high: Bound | null, where: string): Expr {
  if (!low && !high) return choice(text("0"), sequence(optional(text("-")), naturals(1, 10 ** INTEGER_DIGITS - 1)));
  const limit = Number.MAX_SAFE_INTEGER;
  const from = Math.max(-limit, !low ? -limit : low.strict ? Math.floor(low.value) + 1 : Math.ceil(low.value));
  const to = Math.min(limit, !high ? limit : high.strict ? Math.ceil(high.value) - 1 : Math.floor(high.value));
  if (from > to) throw new GemmaError("ERR_SCHEMA", `schema: ${where} must allow an integer, got an empty range`);
  const negative = from < 0 ? sequence(text("-"), naturals(Math.max(1, -to), -from)) : NEVER;
  return choice(negative, to >= 0 ? naturals(Math.max(0, from), to) : NEVER);
}

/** Numbers between two bounds, if any; without bounds also with an exponent. @throws ERR_SCHEMA */
export function numberExpr(low: Bound | null, high: Bound | null, where: string): Expr {
  if (!low && !high) return sequence(optional(text("-")), NATURAL, optional(FRACTION), optional(EXPONENT));
  for (const bound of [low, high]) {
    const size = Math.abs(bound?.value ?? 0);
    if (size === 0 || (size >= 1e-6 && size < 1e15)) continue;
    const what = "must have bounds of 0 or from 1e-6 to 1e15";
    throw new GemmaError("ERR_SCHEMA", `schema: ${where} ${what}, got ${bound!.value}`);
  }
  const zero = { value: 0, strict: false };
  const negated = (bound: Bound | null) => bound && { ...bound, value: -bound.value };
  const above = high && high.value < 0 ? NEVER : magnitudes(low && low.value > 0 ? low : startingAt(low, zero), high);
  const below =
    low && low.value >= 0
      ? NEVER
      : sequence(
          text("-"),
          magnitudes(high && high.value < 0 ? negated(high)! : { value: 0, strict: true }, negated(low)),
        );
  const result = choice(below, above);
  if (result === NEVER) throw new GemmaError("ERR_SCHEMA", `schema: ${where} must allow a number, got an empty range`);
  return result;
}

/** Zero, left out where the lower bound is exactly zero and strict. */
function startingAt(low: Bound | null, zero: Bound): Bound {
  return low?.value === 0 ? low : zero;
}

/** Decimal numbers that are not negative. */
function magnitudes(low: Bound, high: Bound | null): Expr {
  if (high && (high.value < low.value || (high.value === low.value && (high.strict || low.strict)))) return NEVER;
  const lowParts = split(low.value);
  const lowFraction = { digits: lowParts.digits, strict: low.strict };
  if (!high) {
    const larger = naturals(lowParts.whole + 1, 10 ** INTEGER_DIGITS - 1);
    return choice(decimal(lowParts.whole, lowFraction, null), sequence(larger, optional(FRACTION)));
  }
  const highParts = split(high.value);
  const highFraction = { digits: highParts.digits, strict: high.strict };
  if (lowParts.whole === highParts.whole) return decimal(lowParts.whole, lowFraction, highFraction);
  return choice(
    decimal(lowParts.whole, lowFraction, null),
    sequence(naturals(lowParts.whole + 1, highParts.whole - 1), optional(FRACTION)),
    decimal(highParts.whole, null, highFraction),
  );
}

interface FractionBound {
  readonly digits: string; // without zeros at the end
  readonly strict: boolean;
}

function split(value: number): { whole: number; digits: string } {
  const [whole, digits = ""] = String(value).split("."); // from 1e-6 to 1e15 JavaScript writes no exponent
  return { whole: Number(whole), digits };
}

/** `whole`, and a fraction between the bounds; no fraction counts as .0 */
function decimal(whole: number, low: FractionBound | null, high: FractionBound | null): Expr {
  const bare = fractionFits("", low, high) ? EMPTY : NEVER;
  return sequence(text(String(whole)), choice(bare, sequence(text("."), fractionDigits("", low, high))));
}

/** Digits behind `prefix`, at least one where the prefix is empty, so that the fraction lies between the bounds. */
function fractionDigits(prefix: string, low: FractionBound | null, high: FractionBound | null): Expr {
  const left = BOUNDED_FRACTION_DIGITS - prefix.length;
  if (!low && !high) return repeat(DIGIT, prefix === "" ? 1 : 0, left);
  const end = prefix !== "" && fractionFits(prefix, low, high) ? EMPTY : NEVER;
  if (left <= 0 || (high && prefix.length >= high.digits.length)) return end;
  const lowDigit = low ? Number(low.digits[prefix.length] ?? 0) : -1;
  const highDigit = high ? Number(high.digits[prefix.length]) : 10;
  const atBound = (digit: number) => {
    const lowLeft = digit === lowDigit ? passed(low, prefix.length + 1) : null;
    const rest = fractionDigits(prefix + digit, lowLeft, digit === highDigit ? high : null);
    return sequence(text(String(digit)), rest);
  };
  return choice(
    end,
    sequence(digitRange(lowDigit + 1, highDigit - 1), repeat(DIGIT, 0, left - 1)),
    low ? atBound(lowDigit) : NEVER,
    high && highDigit !== lowDigit ? atBound(highDigit) : NEVER,
  );
}

/** A bound whose digits are used up binds no more, unless more than it is wanted. */
function passed(low: FractionBound | null, length: number): FractionBound | null {
  return low && (low.strict || length < low.digits.length) ? low : null;
}

/** Whether a fraction may end here. A bound that is not null agrees with all digits so far. */
function fractionFits(prefix: string, low: FractionBound | null, high: FractionBound | null): boolean {
  const reached = (bound: FractionBound) => prefix.length >= bound.digits.length;
  return (!low || (reached(low) && !low.strict)) && (!high || !reached(high) || !high.strict);
}

/** Natural numbers from..to without leading zeros. */
function naturals(from: number, to: number): Expr {
  const options: Expr[] = [];
  for (let length = String(from).length; length <= String(to).length; length++) {
    const first = Math.max(from, length === 1 ? 0 : 10 ** (length - 1));
    const last = Math.min(to, 10 ** length - 1);
    if (first <= last) options.push(sameLength(String(first), String(last)));
  }
  return choice(...options);
}

/** Numbers from..to, which have equally many digits. */
function sameLength(from: string, to: string): Expr {
  if (from === "") return EMPTY;
  const [low, high] = [Number(from[0]), Number(to[0])];
  const rest = from.length - 1;
  if (/^0*$/.test(from.slice(1)) && /^9*$/.test(to.slice(1))) {
    return sequence(digitRange(low, high), repeat(DIGIT, rest, rest));
  }
  if (low === high) return sequence(text(from[0]!), sameLength(from.slice(1), to.slice(1)));
  return choice(
    sequence(text(from[0]!), sameLength(from.slice(1), "9".repeat(rest))),
    sequence(digitRange(low + 1, high - 1), repeat(DIGIT, rest, rest)),
    sequence(text(to[0]!), sameLength("0".repeat(rest), to.slice(1))),
  );
}

function digitRange(from: number, to: number): Expr {
  return chars([[0x30 + from, 0x30 + to]]);
}
