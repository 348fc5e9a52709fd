import { GemmaError } from "../base/errors.js";

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

export interface CsvRecord {
  /** Where it starts, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** A record that is none, and why. The ones behind it are read nevertheless. */
export interface BadCsvRecord {
  readonly line: number;
  readonly problem: string;
}

/**
 * The records of a CSV text (RFC 4180): fields between commas, in double quotes where they hold commas, quotes (written
 * twice) or line ends. Lines end with LF or CRLF; empty ones are none. Behind a record that is wrong the next line is
 * tried: a quote that was never closed does not hide what else there is.
 */
export function* csvRecords(text: string): Generator<CsvRecord | BadCsvRecord> {
  let line = 1;
  let start = text.startsWith("\ufeff") ? 1 : 0;
  while (start < text.length) {
    const { firstEnd, end, lines } = recordEnd(text, start);
    const record = text.slice(start, text[end - 1] === "\r" ? end - 1 : end);
    const fields = record === "" ? [] : fieldsOf(record);
    if (typeof fields === "string") {
      yield { line, problem: fields };
      line++;
      start = firstEnd + 1;
    } else {
      if (fields.length > 0) yield { line, fields };
      line += lines;
      start = end + 1;
    }
  }
}

/** A record by the names of its columns. */
export interface CsvRow {
  readonly line: number;
  readonly row: Readonly<Record<string, string>>;
}

/**
 * The records behind the first, which names the columns. One with another number of fields is wrong.
 * @throws ERR_INVALID_HEADER unless the first record is whole and has each name once
 */
export function* csvRows(text: string, where: string): Generator<CsvRow | BadCsvRecord> {
  let names: readonly string[] | undefined;
  for (const record of csvRecords(text)) {
    if (names === undefined) names = namesOf(record, where);
    else if ("problem" in record) yield record;
    else if (record.fields.length !== names.length) {
      const problem = `must have ${names.length} fields like the first line, got ${record.fields.length}`;
      yield { line: record.line, problem };
    } else {
      const row: Record<string, string> = Object.create(null); // a column `__proto__` is an ordinary one
      for (const [i, name] of names.entries()) row[name] = record.fields[i]!;
      yield { line: record.line, row };
    }
  }
}

function namesOf(record: CsvRecord | BadCsvRecord, where: string): readonly string[] {
  if ("problem" in record) {
    throw new GemmaError(
      "ERR_INVALID_HEADER",
      `${where}:${record.line}: columns must be named, got: ${record.problem}`,
    );
  }
  const { fields, line } = record;
  const twice = fields.find((name, i) => fields.indexOf(name) < i);
  if (twice === undefined) return fields;
  const name = JSON.stringify(twice.slice(0, 40));
  throw new GemmaError("ERR_INVALID_HEADER", `${where}:${line}: each column must be named once, got ${name} twice`);
}

/** A record goes on behind a line end that has an odd number of quotes before it. */
function recordEnd(text: string, start: number): { firstEnd: number; end: number; lines: number } {
  let firstEnd = text.length;
  let lines = 1;
  let isQuoted = false;
  let end = start;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === QUOTE) isQuoted = !isQuoted;
    else if (code === LINE_FEED) {
      if (lines === 1) firstEnd = end;
      if (!isQuoted) break;
      lines++;
    }
  }
  return { firstEnd, end, lines };
}

/** The fields of a record, or what is wrong with it. */
function fieldsOf(record: string): string[] | string {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    let end: number;
    if (record[at] === '"') {
      const close = closingQuote(record, at + 1);
      if (close < 0) return "a quoted field must be closed, got no closing quote";
      fields.push(record.slice(at + 1, close).replaceAll('""', '"'));
      end = close + 1;
      if (end < record.length && record[end] !== ",") {
        return `a closing quote must end its field, got ${JSON.stringify(record.slice(end, end + 16))} behind it`;
      }
    } else {
      const comma = record.indexOf(",", at);
      end = comma < 0 ? record.length : comma;
      const field = record.slice(at, end);
      if (field.includes('"')) return `a field with quotes must be quoted, got ${JSON.stringify(field.slice(0, 40))}`;
      fields.push(field);
    }
    if (end >= record.length) return fields;
    at = end + 1;
  }
}

function closingQuote(record: string, from: number): number {
  let quote = record.indexOf('"', from);
  while (quote >= 0 && record[quote + 1] === '"') quote = record.indexOf('"', quote + 2);
  return quote;
}
