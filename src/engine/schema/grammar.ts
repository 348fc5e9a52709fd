import { GemmaError } from "../../base/errors.js";

/** A range of code points, both ends included. */
export type CharRange = readonly [from: number, to: number];

export const ASCII_END = 0x7f;

/** What a part of a text may be. */
export type Expr =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "chars"; readonly ascii: readonly CharRange[]; readonly others: boolean }
  | { readonly kind: "rule"; readonly name: string }
  | { readonly kind: "sequence"; readonly parts: readonly Expr[] }
  | { readonly kind: "choice"; readonly options: readonly Expr[] }
  | { readonly kind: "repeat"; readonly part: Expr; readonly min: number; readonly max: number };

/** No text at all fits. */
export const NEVER: Expr = { kind: "choice", options: [] };
export const EMPTY: Expr = { kind: "text", text: "" };

export function text(content: string): Expr {
  return { kind: "text", text: content };
}

/**
 * One character: of these ASCII ranges, or any beyond ASCII where `others`. The library's classes know no more: ranges
 * beyond ASCII match wrong bytes there (0.1.27).
 */
export function chars(ascii: readonly CharRange[], others = false): Expr {
  const kept = ascii.filter(([from, to]) => from <= to);
  return kept.length === 0 && !others ? NEVER : { kind: "chars", ascii: kept, others };
}

export function sequence(...parts: readonly Expr[]): Expr {
  if (parts.includes(NEVER)) return NEVER;
  const kept = parts.filter((part) => part !== EMPTY);
  return kept.length === 0 ? EMPTY : kept.length === 1 ? kept[0]! : { kind: "sequence", parts: kept };
}

export function choice(...options: readonly Expr[]): Expr {
  const kept = options.filter((option) => option !== NEVER);
  return kept.length === 0 ? NEVER : kept.length === 1 ? kept[0]! : { kind: "choice", options: kept };
}

/** @param max may be Infinity */
export function repeat(part: Expr, min: number, max: number): Expr {
  if (max === 0) return EMPTY;
  if (part === NEVER) return min === 0 ? EMPTY : NEVER;
  return min === 1 && max === 1 ? part : { kind: "repeat", part, min, max };
}

export function optional(part: Expr): Expr {
  return repeat(part, 0, 1);
}

const MAX_NODES = 20_000;

/** Named rules under construction. The rule "root" is the whole text. */
export class Grammar {
  private readonly rules = new Map<string, { body: Expr; where: string }>();
  private next = 0;

  /** A rule for the place `where`, which `set` completes later: it may refer to itself. */
  declare(where: string, name = `r${this.next++}`): Expr & { kind: "rule" } {
    this.rules.set(name, { body: NEVER, where });
    return { kind: "rule", name };
  }

  set(rule: Expr & { kind: "rule" }, body: Expr): void {
    this.rules.get(rule.name)!.body = body;
  }

  /** The rule `name`, made by `build` where it is not there yet. */
  shared(name: string, build: (rule: Expr) => Expr): Expr {
    const rule = { kind: "rule", name } as const;
    if (this.rules.has(name)) return rule;
    this.declare("#", name);
    this.set(rule, build(rule));
    return rule;
  }

  /**
   * The grammar in the library's notation, EBNF.
   * @throws ERR_SCHEMA when a rule has no end, refers to itself without writing anything, or when there is too much
   */
  print(): string {
    this.expectFinite();
    let nodes = 0;
    const count = (expr: Expr): void => {
      if (++nodes > MAX_NODES) {
        throw new GemmaError("ERR_SCHEMA", `schema: must give a grammar of at most ${MAX_NODES} parts, got more`);
      }
      for (const child of children(expr)) count(child);
    };
    const lines: string[] = [];
    for (const [name, { body }] of this.rules) {
      count(body);
      lines.push(`${name} ::= ${print(body)}\n`);
    }
    return lines.join("");
  }

  /** Every rule must lead to an end, or the model could begin what it can never finish. */
  private expectFinite(): void {
    const finite = new Set<string>();
    const ends = (expr: Expr): boolean => {
      if (expr.kind === "rule") return finite.has(expr.name);
      if (expr.kind === "choice") return expr.options.some(ends);
      if (expr.kind === "repeat") return expr.min === 0 || ends(expr.part);
      return children(expr).every(ends);
    };
    for (let grown = true; grown; ) {
      grown = false;
      for (const [name, { body }] of this.rules) {
        if (finite.has(name) || !ends(body)) continue;
        finite.add(name);
        grown = true;
      }
    }
    for (const [name, { where }] of this.rules) {
      if (!finite.has(name)) throw new GemmaError("ERR_SCHEMA", `schema: ${where} must have an end, got none`);
    }
    const done = new Set<string>();
    for (const name of this.rules.keys()) this.expectProgress(name, new Set(), done);
  }

  /** Refuses rules that reach themselves through references alone. */
  private expectProgress(name: string, above: Set<string>, done: Set<string>): void {
    if (done.has(name)) return;
    const { body, where } = this.rules.get(name)!;
    if (above.has(name)) throw new GemmaError("ERR_SCHEMA", `schema: ${where} must not be a reference to itself alone`);
    above.add(name);
    for (const next of aliases(body)) this.expectProgress(next, above, done);
    above.delete(name);
    done.add(name);
  }
}

/** Rules that an expression may stand for without writing anything itself. */
function aliases(expr: Expr): readonly string[] {
  if (expr.kind === "rule") return [expr.name];
  return expr.kind === "choice" ? expr.options.flatMap(aliases) : [];
}

function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "sequence":
      return expr.parts;
    case "choice":
      return expr.options;
    case "repeat":
      return [expr.part];
    default:
      return [];
  }
}

function print(expr: Expr): string {
  switch (expr.kind) {
    case "text":
      return `"${Array.from(expr.text, (c) => printChar(c.codePointAt(0)!)).join("")}"`;
    case "chars":
      return expr.others ? `[^${printRanges(missing(expr.ascii))}]` : `[${printRanges(expr.ascii)}]`;
    case "rule":
      return expr.name;
    case "sequence":
      return `(${expr.parts.map(print).join(" ")})`;
    case "choice":
      return `(${expr.options.map(print).join(" | ")})`;
    case "repeat": {
      const { part, min, max } = expr;
      const endless = max === Number.POSITIVE_INFINITY;
      const count = endless ? (min === 0 ? "*" : `{${min},}`) : min === 0 && max === 1 ? "?" : `{${min},${max}}`;
      return `${part.kind === "text" ? `(${print(part)})` : print(part)}${count}`;
    }
    default:
      return expr satisfies never;
  }
}

function printRanges(ranges: readonly CharRange[]): string {
  return ranges.map(([from, to]) => `${printChar(from)}-${printChar(to)}`).join("");
}

/** The ASCII characters that are in none of the ranges. */
function missing(ranges: readonly CharRange[]): readonly CharRange[] {
  const result: CharRange[] = [];
  for (let code = 0; code <= ASCII_END; code++) {
    if (ranges.some(([from, to]) => from <= code && code <= to)) continue;
    const last = result.at(-1);
    if (last?.[1] === code - 1) result[result.length - 1] = [last[0], code];
    else result.push([code, code]);
  }
  return result;
}

function printChar(code: number): string {
  const char = String.fromCodePoint(code);
  return /[A-Za-z0-9 ]/.test(char) ? char : `\\U${code.toString(16).padStart(8, "0")}`;
}
