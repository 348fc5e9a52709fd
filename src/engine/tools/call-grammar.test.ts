import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, describe, expect, test } from "vitest";
import { GrammarWalk } from "../../../test/helpers/grammar-walk.js";
import { seededRng } from "../../base/rng.js";
import type { Tool, ToolChoice } from "../chat.js";
import { callGrammar } from "./call-grammar.js";
import { CallStream } from "./call-stream.js";
import type { Calling } from "./calling.js";

const SEED = 5;
const walk = new GrammarWalk();
const ajv = new Ajv2020({ strict: false });
afterAll(() => walk.service.dispose());

const calling = (tools: readonly Tool[], choice: ToolChoice = "required", parallel = true): Calling => ({
  tools,
  choice,
  parallel,
});
const item = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
const TOOLS: readonly Tool[] = [
  { name: "now" },
  {
    name: "get_weather",
    parameters: {
      properties: { city: { type: "string" }, unit: { enum: ["C", "F"] } },
      required: ["city"],
      additionalProperties: false,
    },
  },
  {
    name: "add.items",
    parameters: {
      $ref: "#/$defs/list",
      $defs: {
        item,
        list: { type: "object", properties: { items: { type: "array", items: { $ref: "#/$defs/item" } } } },
      },
    },
  },
  { name: "log", parameters: { type: "object" } },
];
const validators = new Map(
  TOOLS.map(({ name, parameters = { type: "object", maxProperties: 0 } }) => [name, ajv.compile(parameters)]),
);

/** The calls that a whole answer makes, and its text. */
function read(text: string, tools: readonly Tool[]) {
  const stream = new CallStream({ names: tools.map(({ name }) => name), at: "start", most: Number.POSITIVE_INFINITY });
  return { text: stream.push(text) + stream.end(), calls: stream.calls };
}

const refused = (parameters: Readonly<Record<string, unknown>>, choice: ToolChoice = "required", strict = false) => {
  try {
    callGrammar(calling([{ name: "a" }, { name: "b", parameters, strict }], choice), undefined);
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_SCHEMA" });
    return (error as Error).message;
  }
  return expect.unreachable("must be refused");
};

test.each<[choice: ToolChoice, parallel: boolean]>([
  ["required", true],
  ["required", false],
  [{ name: "get_weather" }, true],
  [{ name: "now" }, false],
])(`only valid calls can be written: %j, several %j (seed ${SEED})`, async (choice, parallel) => {
  const rng = seededRng(SEED);
  const grammar = callGrammar(calling(TOOLS, choice, parallel), undefined)!;
  const called = new Set<string>();
  let several = 0;
  for (let i = 0; i < 60; i++) {
    const written = await walk.randomText(grammar, rng, 90);
    if (written === null) continue;
    const { text, calls } = read(written, TOOLS);
    expect([text, calls.length > 0], written).toEqual(["", true]);
    several += Number(calls.length > 1);
    for (const call of calls) {
      called.add(call.name);
      expect(validators.get(call.name)!(call.arguments), written).toBe(true);
    }
  }
  if (typeof choice === "object") expect([...called]).toEqual([choice.name]);
  else expect(called.size).toBeGreaterThan(1);
  expect(several > 0).toBe(parallel && choice === "required");
});

test("free answers are held to nothing, unless a tool is strict or the answer is JSON", () => {
  const plain: Tool = { name: "f", parameters: { properties: { x: { multipleOf: 2 } } } };
  expect(callGrammar(calling([plain], "auto"), undefined)).toBe(null);
  expect(callGrammar(calling([plain], "none"), undefined)).toBe(null);
  expect(callGrammar(calling([], "auto"), undefined)).toBe(null);
  expect(callGrammar(calling([plain], "auto"), { type: "object" })).toContain("root ::=");
  expect(callGrammar(calling([plain, { name: "g", strict: true }], "auto"), undefined)).toContain("root ::=");
  expect(callGrammar(calling([{ name: "g", strict: true }], "none"), { type: "null" })).toBe('root ::= "null"\n');
});

describe("strict tools where the model is free to call", () => {
  const tools: readonly Tool[] = [{ ...TOOLS[1]!, strict: true }, { name: "log" }];
  const grammar = callGrammar(calling(tools, "auto"), undefined)!;
  test.each([
    ["", true],
    [" \n", true],
    ["Paris is warm.\n\n[1] {x}", true],
    ["\u00e9t\u00e9 \u{1f600}", true],
    ['{"name": "get_weather", "parameters": {"city": "Rio"}}', true],
    ['{"name": "get_weather", "parameters": {"town": "Rio"}}', false],
    ['{"name": "log", "parameters": {"anything": [1]}}', true],
    ['[{"name": "get_weather", "parameters": {"city": "Rio"}}, {"name": "log", "parameters": {}}]', true],
    ['{"name": "other", "parameters": {}}', false],
    [' {"name": "log", "parameters": {}}', false],
    ["```json\n", false],
  ])("%j: %j", async (text, allowed) => {
    expect(await walk.allows(grammar, text)).toBe(allowed);
  });

  test(`what begins like a call is a valid one (seed ${SEED})`, async () => {
    const rng = seededRng(SEED);
    let [texts, calls] = [0, 0];
    for (let i = 0; i < 60; i++) {
      const written = await walk.randomText(grammar, rng, 60, i % 2 === 0 ? "" : "{");
      if (written === null) continue;
      const answer = read(written, tools);
      if (answer.calls.length === 0) {
        texts++;
        expect(answer.text).toBe(written);
        expect(written).not.toMatch(/^\s*[[{`]/);
      } else calls++;
      for (const { name, arguments: given } of answer.calls) {
        if (name === "get_weather") expect(validators.get(name)!(given), written).toBe(true);
      }
    }
    expect(texts).toBeGreaterThan(0);
    expect(calls).toBeGreaterThan(0);
  });
});

test("an answer is JSON by a schema, or a call", async () => {
  const jsonSchema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
  const grammar = callGrammar(calling([{ name: "log" }], "auto", false), jsonSchema)!;
  expect(await walk.allows(grammar, '{"ok": true}')).toBe(true);
  expect(await walk.allows(grammar, '{"name": "log", "parameters": {"a": 1}}')).toBe(true);
  expect(await walk.allows(grammar, '[{"name": "log", "parameters": {}}]')).toBe(false);
  expect(await walk.allows(grammar, "Well")).toBe(false);
  const required = callGrammar(calling([{ name: "log" }], "required", false), jsonSchema)!;
  expect(await walk.allows(required, '{"ok": true}')).toBe(false);
});

describe("parameters that cannot be enforced are an error that names the tool", () => {
  test.each([
    [{ properties: { x: { type: "integer", multipleOf: 2 } } }, "#/properties/x/multipleOf is not supported"],
    [{ properties: { x: { $ref: "#/$defs/none" } } }, "#/properties/x/$ref must name a schema of this document"],
    [{ type: "array" }, "# must describe an object by its properties"],
    [{ type: ["object", "null"] }, "# must describe an object by its properties"],
    [{ anyOf: [{ type: "object" }] }, "# must describe an object by its properties"],
    [{ $ref: "#" }, "# must describe an object by its properties"],
    [{ $ref: "#/$defs/a", $defs: { a: { type: "string" } } }, "# must describe an object by its properties"],
  ])("%j", (parameters, message) => {
    expect(refused(parameters)).toContain(`tools[1].parameters: ${message}`);
    expect(refused(parameters, { name: "b" })).toContain(`tools[1].parameters: ${message}`);
    expect(refused(parameters, "auto", true)).toContain(`tools[1].parameters: ${message}`);
    // Where nothing is enforced they are the model's to read.
    expect(callGrammar(calling([{ name: "a" }, { name: "b", parameters }], { name: "a" }), undefined)).toContain(
      "tool0",
    );
    expect(callGrammar(calling([{ name: "b", parameters }], "auto"), undefined)).toBe(null);
  });

  test("together they may be too much", () => {
    const properties = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`p${i}`, { type: "integer" }]));
    const tools = Array.from({ length: 20 }, (_, i): Tool => ({ name: `t${i}`, parameters: { properties } }));
    expect(() => callGrammar(calling(tools), undefined)).toThrow(/at most 20000 parts/);
  });
});
