import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import fc from "../../test/fast-check.js";
import { csvRecords, csvRows } from "./csv.js";

const recordsOf = (text: string) =>
  Array.from(csvRecords(text), (one) => [one.line, "problem" in one ? one.problem : one.fields]);

test("records with the line that each starts at", () => {
  expect(recordsOf('\ufeffa,b\r\n1,"x\r\ny"\r\n\r\n2,"say ""hi"", she said"\n,\n')).toEqual([
    [1, ["a", "b"]],
    [2, ["1", "x\r\ny"]],
    [5, ["2", 'say "hi", she said']],
    [6, ["", ""]],
  ]);
  expect(recordsOf("a\n1")).toEqual([
    [1, ["a"]],
    [2, ["1"]],
  ]);
  expect(recordsOf("")).toEqual([]);
  expect(recordsOf("\ufeff\n\r\n")).toEqual([]);
});

test("each wrong record is told, and what is behind it is read", () => {
  expect(recordsOf('a,b\n"x" y,3\n4,5\nn"o,1\n"open,2\n6,7\n')).toEqual([
    [1, ["a", "b"]],
    [2, 'a closing quote must end its field, got " y,3" behind it'],
    [3, ["4", "5"]],
    [4, 'a field with quotes must be quoted, got "n\\"o"'],
    [5, "a quoted field must be closed, got no closing quote"],
    [6, ["6", "7"]],
  ]);
});

test("rows by the names of the first record", () => {
  const rows = (text: string) => Array.from(csvRows(text, "t.csv"));
  expect(rows("a,__proto__\n1,2\n3\n4,\n").map((one) => ("row" in one ? { ...one.row } : one))).toEqual([
    Object.fromEntries([
      ["a", "1"],
      ["__proto__", "2"],
    ]),
    { line: 3, problem: "must have 2 fields like the first line, got 1" },
    Object.fromEntries([
      ["a", "4"],
      ["__proto__", ""],
    ]),
  ]);
  expect(rows("")).toEqual([]);
  expect(rows("a,b\n")).toEqual([]);
  const refused = (message: RegExp) =>
    expect.objectContaining({ code: "ERR_INVALID_HEADER", message: expect.stringMatching(message) });
  expect(() => rows("a,b,a\n")).toThrow(refused(/^t.csv:1: each column must be named once, got "a" twice/));
  expect(() => rows('\na"\n')).toThrow(refused(/^t.csv:2: columns must be named, got: a field with quotes/));
});

test("what another reader reads, and any text is read or told to be wrong", () => {
  const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r\n", " ", "ü"), maxLength: 6 });
  const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
  const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  fc.assert(
    fc.property(table, fc.constantFrom("\n", "\r\n"), (rows, feed) => {
      const text = rows.map((row) => row.map(quoted).join(",") + feed).join("");
      expect(Array.from(csvRecords(text), (one) => "fields" in one && one.fields)).toEqual(rows);
      const theirs = parse(text, { relax_column_count: true, record_delimiter: feed });
      expect(theirs).toEqual(rows);
    }),
    { seed: 3, numRuns: 300 },
  );
  fc.assert(
    fc.property(field, (text) => {
      const lines = Array.from(csvRecords(text), ({ line }) => line);
      expect(lines).toEqual([...new Set(lines)].sort((a, b) => a - b));
    }),
    { seed: 3, numRuns: 300 },
  );
});
