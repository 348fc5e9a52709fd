import { expect, test } from "vitest";
import { GemmaError } from "../../base/errors.js";
import { makeKey } from "../access/keys.js";
import { createLog, type LogOptions } from "./log.js";

const CANARY = "the quick brown fox";

/** What one call writes, parsed. */
function logged(fields: object, message: string, options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const sink = { write: (line: string) => void lines.push(line) };
  createLog({ level: "info", logPrompts: false, sink, ...options }).info(fields, message);
  const text = lines.join("");
  expect(text.endsWith("\n")).toBe(true);
  return { text, line: JSON.parse(text) as Record<string, unknown> };
}

test("log: one JSON line an event", () => {
  const { line } = logged({ status: 200, ms: 1.5, when: new Date(0) }, "request");
  expect(line).toEqual({
    ...{ level: "info", time: expect.stringMatching(/^\d{4}-.*Z$/), msg: "request" },
    ...{ status: 200, ms: 1.5, when: "1970-01-01T00:00:00.000Z" },
  });
});

test("log: lines below the level are not written", () => {
  const lines: string[] = [];
  const sink = { write: (line: string) => void lines.push(line) };
  const log = createLog({ level: "warn", logPrompts: false, sink });
  log.debug({}, "a");
  log.info({}, "b");
  log.warn({}, "c");
  log.error({}, "d");
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["c", "d"]);
  createLog({ level: "silent", logPrompts: false, sink }).error({}, "e");
  expect(lines).toHaveLength(2);
});

test("log: no key, wherever it stands and however deep", () => {
  const { text: key, stored } = makeKey("ci");
  const headers = { Authorization: `Bearer ${key}`, "X-API-Key": "other-secret", cookie: "other-secret" };
  const nested = { a: { b: [{ request: { headers, apiKey: "other-secret" } }] } };
  const { text } = logged({ nested, key: stored, error: new Error(`bad ${key}`), [key]: 1 }, `got ${key}`);
  expect(text).not.toContain(key.slice(12));
  expect(text).not.toContain("other-secret");
  expect(text).not.toContain(stored.hash);
  expect(text).toContain(`got gk_${stored.id}_***`);
});

test("log: no text of prompts or answers unless it is wanted", () => {
  const fields = {
    body: { messages: [{ role: "user", content: CANARY }], prompt: [CANARY], max_tokens: 5 },
    choices: [{ message: { content: CANARY, tool_calls: [{ function: { arguments: CANARY } }] }, text: CANARY }],
  };
  expect(logged(fields, "request").text).not.toContain(CANARY);
  expect(logged(fields, "request").text).toContain('"max_tokens":5');
  expect(logged(fields, "request", { logPrompts: true }).line).toMatchObject(fields);
});

test("log: numbers of a name that texts have too are kept", () => {
  expect(logged({ limits: { choices: 16 } }, "options").line).toMatchObject({ limits: { choices: 16 } });
});

test("log: errors with code, stack and cause", () => {
  const err = new GemmaError("ERR_WORKER", "the engine ended", { cause: new TypeError("x is not a function") });
  expect(logged({ err }, "failed").line).toMatchObject({
    err: {
      ...{ name: "GemmaError", code: "ERR_WORKER", message: "the engine ended" },
      stack: expect.stringContaining("log.test.ts"),
      cause: { name: "TypeError", message: "x is not a function" },
    },
  });
});

test("log: what refers to itself, is very deep or is bytes is cut", () => {
  const self: Record<string, unknown> = { bytes: new Uint8Array(1000), big: 1n };
  self.self = self;
  expect(logged(self, "odd").text.length).toBeLessThan(1000);
});
