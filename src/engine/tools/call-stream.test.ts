import { describe, expect, test } from "vitest";
import { CallStream, type CallStreamOptions } from "./call-stream.js";

const names = ["f", "get_weather", "get", "math.add"];
const ANYWHERE: CallStreamOptions = { names, at: "anywhere", most: Number.POSITIVE_INFINITY };
const START: CallStreamOptions = { ...ANYWHERE, at: "start" };

/** What is shown after each piece, and the calls. */
function streamed(pieces: readonly string[], options = ANYWHERE) {
  const stream = new CallStream(options);
  const shown = pieces.map((piece) => stream.push(piece));
  shown.push(stream.end());
  return { shown, text: shown.join(""), calls: stream.calls };
}

const divided = (text: string, options = ANYWHERE) => {
  const { text: rest, calls } = streamed([text], options);
  return [rest, ...calls.map(({ name, arguments: given }) => [name, given])];
};

describe("calls", () => {
  test.each<[what: string, text: string, ...expected: unknown[]]>([
    ["an object", '{"name": "f", "parameters": {"x": 1}}', "", ["f", { x: 1 }]],
    ["with arguments", '{"name": "f", "arguments": {"x": 1}}', "", ["f", { x: 1 }]],
    ["in any order, spread over lines", '\n{\n "parameters" : { } ,\n "name" : "get"\n}\n', "", ["get", {}]],
    [
      "an array",
      '[{"name": "f", "parameters": {}}, {"name": "get_weather", "parameters": {"city": "Paris"}}]',
      "",
      ["f", {}],
      ["get_weather", { city: "Paris" }],
    ],
    ["a json fence", '```json\n{"name": "f", "parameters": {"x": 1}}\n```', "", ["f", { x: 1 }]],
    [
      "a tool_code fence",
      "```tool_code\nget_weather(city='Paris', days=3)\n```",
      "",
      ["get_weather", { city: "Paris", days: 3 }],
    ],
    ["printed", "```tool_code\nprint(default_api.f(x=1))\n```\n", "", ["f", { x: 1 }]],
    ["a fence without a name or an end", '```\n{"name": "f", "parameters": {}}', "", ["f", {}]],
    ["one on the fence's line", '```{"name": "f", "parameters": {}}```', "", ["f", {}]],
    ["Python", '[f(x=1, y="a"), get()]', "", ["f", { x: 1, y: "a" }], ["get", {}]],
    ["Python alone on a line", "get_weather( city = 'Rio', )  \n", "", ["get_weather", { city: "Rio" }]],
    ["a dotted name", "[math.add(a=1, b=-2.5e3)]", "", ["math.add", { a: 1, b: -2500 }]],
    ["both forms in one array", '[{"name": "f", "parameters": {}}, get()]', "", ["f", {}], ["get", {}]],
    [
      "one behind the other",
      '{"name": "f", "parameters": {}}\n{"name": "get", "parameters": {}}',
      "",
      ["f", {}],
      ["get", {}],
    ],
    ["with commas", '{"name": "f", "parameters": {}}, {"name": "get", "parameters": {}};', "", ["f", {}], ["get", {}]],
    ["lines of a fence", "```tool_code\nf()\nprint(get(x=1))\n```", "", ["f", {}], ["get", { x: 1 }]],
    [
      "two fences",
      '```json\n{"name":"f","parameters":{}}\n```\n\n```json\n{"name":"get","parameters":{}}\n```',
      "",
      ["f", {}],
      ["get", {}],
    ],
    [
      "Python's literals",
      `{'name': 'f', 'parameters': {'a': True, 'b': [None, False,], }}`,
      "",
      ["f", { a: true, b: [null, false] }],
    ],
    ["escapes", String.raw`f(x="a\"\\\n\u00e9\'\d\/", y='"\t')`, "", ["f", { x: "a\"\\\né'\\d/", y: '"\t' }]],
    [
      "a key that objects inherit",
      '{"name": "f", "parameters": {"__proto__": 1}}',
      "",
      ["f", JSON.parse('{"__proto__": 1}')],
    ],
    ["behind text", 'Let me see.\n\n{"name": "f", "parameters": {}}', "Let me see.", ["f", {}]],
    ["before text", '{"name": "f", "parameters": {}}\n\nThat should do.', "That should do.", ["f", {}]],
    ["between texts", "One.\n```tool_code\nf()\n```\nTwo.", "One.\nTwo.", ["f", {}]],
    ["in a fence behind one of code", "```js\na()\n```\n```tool_code\nf()\n```", "```js\na()\n```", ["f", {}]],
    ["in a fence behind one never closed", "```json\nf()\nSo:\n```json\nget()\n```", "So:", ["f", {}], ["get", {}]],
    ["behind what was not quite one", '{\n{"name": "f", "parameters": {}}', "{\n", ["f", {}]],
  ])("%s", (_, text, ...expected) => {
    expect(divided(text)).toEqual(expected);
  });
});

describe("text", () => {
  test.each([
    "",
    "  ",
    " Paris is in France.\n",
    '{"name": "unknown", "parameters": {}}',
    '{"name": "f"}',
    '{"name": "f", "parameters": []}',
    '{"name": "f", "parameters": "{}"}',
    '{"name": "f", "parameters": {}, "more": 1}',
    '{"name": "f", "parameters": {}, "arguments": {}}',
    '{"name": "f", "name": "f"}',
    '{"name": "f", "parameters": {"x": }}',
    '{"name": "f", "parameters": {"x": 01}}',
    '{"name": "f", "parameters": {"x": 1e999}}',
    '{"name": "f", "parameters": {"x": nul}}',
    '{"name": "f", "parameters": {"x": "\\u12g4"}}',
    '{"name": "f", "parameters": {"x": 1}',
    '{"name": "f", "parameters": {"x": "',
    '[{"name": "f", "parameters": {}}, {"name": "un',
    '[{"name": "f", "parameters": {}} {"name": "f", "parameters": {}}]',
    "[]",
    "[1, 2]",
    "[see below](x)",
    '{"title": "f"}',
    '```python\nprint("hello")\n```',
    "```js\nf(x=1)\n```",
    "`f(x=1)`",
    "``f(x=1)",
    "```js\nf(x=1)\n```\nYes.",
    '```json\n{"title": "f"}\n\nf(x=1)\n```',
    '```jsonl\n{"name": "f", "parameters": {}}\n```',
    "f(x=1) is how it is called",
    "You can call f(x=1)",
    "f(1)",
    "f(x)",
    "f(x=y)",
    "f(x=(1, 2))",
    "f[x=1]",
    "print(print(f()))",
    "print(f(), 1)",
    "default_api.print(f())",
    "gets(x=1)",
    "the weather",
    `{"name": "f", "parameters": {"x": ${"[".repeat(70)}${"]".repeat(70)}}}`,
  ])("%j", (text) => {
    expect(divided(text)).toEqual([text]);
  });
});

describe("in pieces", () => {
  const call = '{"name": "get_weather", "parameters": {"city": "Paris"}}';
  const characters = (text: string) => Array.from(text);

  test("text streams at once, but for white space, which may stand in front of a call", () => {
    const pieces = ["The", " weather", ".", "\n\n", "It", ' is {"name": "f"', "}"];
    expect(streamed(pieces).shown).toEqual(["The", " weather", ".", "", "\n\nIt", ' is {"name": "f"', "}", ""]);
  });

  test("text that begins like a call is held back until it cannot be one", () => {
    expect(streamed(['{"', 'name": "', "Ada", '"}']).shown).toEqual(["", "", '{"name": "Ada', '"}', ""]);
    expect(streamed(["get", "_we", "b"]).shown).toEqual(["", "", "get_web", ""]);
    expect(streamed(["``", "`", "json", "\n{", '"t']).shown).toEqual(["", "", "", "", '```json\n{"t', ""]);
    expect(streamed(["f(x=1)", " ", "is"]).shown).toEqual(["", "", "f(x=1) is", ""]);
  });

  test("a call is held back from its first character to its last", () => {
    for (let length = 1; length < call.length; length++) {
      const stream = new CallStream(ANYWHERE);
      expect([stream.push(call.slice(0, length)), stream.calls]).toEqual(["", []]);
      expect([stream.push(call.slice(length)), stream.calls.length]).toEqual(["", 1]);
    }
  });

  test("nothing of a call is shown", () => {
    const text = `Let me see.\n\`\`\`json\n${call}\n\`\`\`\nThere.`;
    expect(streamed(characters(text)).shown.filter(Boolean).join("|")).toBe("L|e|t| m|e| s|e|e|.|\nT|h|e|r|e|.");
  });

  test("a call that was cut is text", () => {
    for (let length = 1; length < call.length; length++) {
      const { text, calls } = streamed(characters(call.slice(0, length)));
      expect([text, calls]).toEqual([call.slice(0, length), []]);
    }
  });

  test("calls beyond the limit are left out", () => {
    const { text, calls } = streamed([`[${call}, ${call}]\n${call}`], { ...ANYWHERE, most: 1 });
    expect([text, calls.length]).toEqual(["", 1]);
  });
});

describe("at the start only", () => {
  const call = '{"name": "f", "parameters": {}}';
  test.each<[text: string, ...expected: unknown[]]>([
    [call, "", ["f", {}]],
    [`[${call}, ${call}]`, "", ["f", {}], ["f", {}]],
    [` ${call}\n`, "", ["f", {}]],
    ['{"answer": 42}', '{"answer": 42}'],
    [`Well:\n${call}`, `Well:\n${call}`],
    ["f()", "f()"],
    [`\`\`\`json\n${call}\n\`\`\``, `\`\`\`json\n${call}\n\`\`\``],
    ["  a b ", "  a b "],
  ])("%j", (text, ...expected) => {
    expect(divided(text, START)).toEqual(expected);
  });
});
