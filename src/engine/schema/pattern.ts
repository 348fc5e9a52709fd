import { GemmaError } from "../../base/errors.js";
import { type CharRange, choice, EMPTY, type Expr, repeat, sequence, text } from "./grammar.js";
import { oneOf } from "./strings.js";

const MAX_LENGTH = 1000;
const MAX_SIZE = 1000;

const ALL: readonly CharRange[] = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];
const DIGITS: readonly CharRange[] = [[0x30, 0x39]];
const WORD: readonly CharRange[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const LINE_ENDS: readonly CharRange[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
const SPACE: readonly CharRange[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const CLASSES: ReadonlyMap<string, readonly CharRange[]> = new Map([
  ["d", DIGITS],
  ["D", complement(DIGITS)],
  ["w", WORD],
  ["W", complement(WORD)],
  ["s", SPACE],
  ["S", complement(SPACE)],
]);
const CONTROLS: ReadonlyMap<string, number> = new Map([
  ["t", 0x09],
  ["n", 0x0a],
  ["v", 0x0b],
  ["f", 0x0c],
  ["r", 0x0d],
]);
const SYNTAX = "^$\\.*+?()[]{}|/-";

/**
 * The JSON strings that a regular expression of a schema matches. Without ^ or $ it may match in the middle.
 * @throws ERR_SCHEMA for lookaround, back-references, \b, flags, property classes, nested endless repetition
 */
export function patternExpr(pattern: string, where: string): Expr {
  const parser = new PatternParser(pattern, where);
  return sequence(text('"'), parser.parse(), text('"'));
}

/** What is known of a part: how many characters its grammar spells out, and whether it may be empty. */
interface Part {
  readonly expr: Expr;
  readonly size: number;
  readonly nullable: boolean;
}

class PatternParser {
  private at = 0;
  private readonly source: readonly string[];

  constructor(
    private readonly pattern: string,
    private readonly where: string,
  ) {
    this.source = Array.from(pattern);
    if (this.source.length > MAX_LENGTH) this.fail(`at most ${MAX_LENGTH} characters`);
  }

  parse(): Expr {
    const options: Expr[] = [];
    const before = repeat(oneOf(ALL)!, 0, Number.POSITIVE_INFINITY);
    do {
      const start = this.take("^") ? EMPTY : before;
      const part = this.terms();
      const end = this.take("$") ? EMPTY : before;
      options.push(sequence(start, part.expr, end));
    } while (this.take("|"));
    if (this.at < this.source.length) this.fail("anchors at its ends only, and closed groups");
    return choice(...options);
  }

  private alternatives(depth: number): Part {
    const options = [this.terms(depth)];
    while (this.take("|")) options.push(this.terms(depth));
    return {
      expr: choice(...options.map(({ expr }) => expr)),
      size: options.reduce((sum, { size }) => sum + size, 0),
      nullable: options.some(({ nullable }) => nullable),
    };
  }

  private terms(depth = 0): Part {
    const parts: Part[] = [];
    for (;;) {
      const c = this.source[this.at];
      if (c === undefined || c === "|" || c === ")" || c === "$" || c === "^") break;
      parts.push(this.quantified(this.atom(depth)));
    }
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    if (size > MAX_SIZE) this.fail(`at most ${MAX_SIZE} characters when its repetitions are written out`);
    return { expr: sequence(...parts.map(({ expr }) => expr)), size, nullable: parts.every((part) => part.nullable) };
  }

  private quantified(part: Part): Part {
    const [min, max] = this.quantifier();
    if (min === 1 && max === 1) return part;
    this.take("?"); // lazy or not: the same strings match
    if (min > max) this.fail("repetitions whose counts do not fall");
    if (max === Number.POSITIVE_INFINITY && part.nullable) this.fail("no endless repetition of what may be empty");
    const size = Math.max(1, part.size) * (Number.isFinite(max) ? max : min + 1);
    if (size > MAX_SIZE) this.fail(`at most ${MAX_SIZE} characters when its repetitions are written out`);
    return { expr: repeat(part.expr, min, max), size, nullable: part.nullable || min === 0 };
  }

  private quantifier(): [min: number, max: number] {
    if (this.take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.take("?")) return [0, 1];
    if (this.source[this.at] !== "{") return [1, 1];
    const counts = /^\{(\d{1,6})(,(\d{0,6}))?\}/.exec(this.source.slice(this.at, this.at + 16).join(""));
    if (!counts) this.fail("counts such as {2,5} of at most six digits");
    this.at += counts[0].length;
    const min = Number(counts[1]);
    const max = counts[2] === undefined ? min : counts[3] === "" ? Number.POSITIVE_INFINITY : Number(counts[3]);
    return [min, max];
  }

  private atom(depth: number): Part {
    const c = this.source[this.at++]!;
    if (c === "(") {
      if (depth >= 16) this.fail("groups at most 16 deep");
      if (this.take("?") && !this.take(":")) this.fail("no lookaround and no named groups");
      const part = this.alternatives(depth + 1);
      if (!this.take(")")) this.fail("anchors at its ends only, and closed groups");
      return part;
    }
    const ranges = c === "[" ? this.charClass() : c === "." ? complement(LINE_ENDS) : this.character(c);
    const expr = oneOf(merged(ranges));
    if (expr === null) this.fail("classes of ASCII and at most 64 other characters, or of all others");
    return { expr, size: 1, nullable: false };
  }

  private character(c: string): readonly CharRange[] {
    if (c === "\\") return this.escape();
    if ("*+?{}[]".includes(c)) this.fail(`\\${c} instead of ${c} where it stands for itself`);
    return single(c.codePointAt(0)!);
  }

  private charClass(): readonly CharRange[] {
    const negated = this.take("^");
    const ranges: CharRange[] = [];
    while (!this.take("]")) {
      const from = this.classMember();
      if (this.source[this.at] === "-" && this.source[this.at + 1] !== "]") {
        this.at++;
        const to = this.classMember();
        const [low, high] = [only(from), only(to)];
        if (low === null || high === null || low > high) this.fail("ranges from a character to a later one");
        ranges.push([low, high]);
      } else ranges.push(...from);
    }
    return negated ? complement(ranges) : ranges;
  }

  private classMember(): readonly CharRange[] {
    const c = this.source[this.at++];
    if (c === undefined) this.fail("a closing ]");
    return c === "\\" ? this.escape() : single(c.codePointAt(0)!);
  }

  private escape(): readonly CharRange[] {
    const c = this.source[this.at++] ?? "";
    const ranges = CLASSES.get(c);
    if (ranges) return ranges;
    const control = CONTROLS.get(c);
    if (control !== undefined) return single(control);
    if (c !== "" && SYNTAX.includes(c)) return single(c.codePointAt(0)!);
    const rest = this.source.slice(this.at, this.at + 8).join("");
    const hex = c === "x" ? /^([0-9a-f]{2})/i.exec(rest) : c === "u" ? /^([0-9a-f]{4})/i.exec(rest) : null;
    if (!hex) this.fail(`no \\${c}`);
    this.at += hex[1]!.length;
    return single(Number.parseInt(hex[1]!, 16));
  }

  private take(c: string): boolean {
    if (this.source[this.at] !== c) return false;
    this.at++;
    return true;
  }

  private fail(expected: string): never {
    const shown = JSON.stringify(this.pattern.length > 60 ? `${this.pattern.slice(0, 57)}...` : this.pattern);
    throw new GemmaError("ERR_SCHEMA", `schema: ${this.where} must have ${expected}, got ${shown} (at ${this.at})`);
  }
}

function single(code: number): readonly CharRange[] {
  return [[code, code]];
}

function only(ranges: readonly CharRange[]): number | null {
  const [range] = ranges;
  return ranges.length === 1 && range && range[0] === range[1] ? range[0] : null;
}

/** The same characters in ranges that do not overlap. */
function merged(ranges: readonly CharRange[]): readonly CharRange[] {
  return complement(complement(ranges));
}

/** All characters that are in none of the ranges. */
function complement(ranges: readonly CharRange[]): readonly CharRange[] {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const result: CharRange[] = [];
  for (const [low, high] of ALL) {
    let from = low;
    for (const [a, b] of sorted) {
      if (b < from || a > high) continue;
      if (a > from) result.push([from, a - 1]);
      from = Math.max(from, b + 1);
    }
    if (from <= high) result.push([from, high]);
  }
  return result;
}
