import fc from "fast-check";
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

describe("properties", () => {
  const fragments = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    '"',
    "'",
    ",",
    ":",
    "=",
    "\n",
    " ",
    "`",
    "```",
    "```json\n",
    "\\",
    "\\u00",
    "1",
    "-",
    ".",
    "e",
    ";",
  ];
  const words = [
    '"name"',
    '"parameters"',
    '"arguments"',
    '"f"',
    "f(",
    "get",
    "_weather",
    "print(",
    "default_api.",
    "True",
    "null",
    "é",
    "😀",
    "Well",
  ];
  const wholes = ['{"name": "f", "parameters": {"x": 1}}', "f(x=1)", "[get()]", '{"name": "f", "parameters": '];
  const garbage = fc
    .array(fc.constantFrom(...fragments, ...words, ...wholes), { maxLength: 40 })
    .map((parts) => parts.join(""));
  const chunksOf = (text: string, cuts: readonly number[]): string[] => {
    const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
    return at.slice(1).map((end, i) => text.slice(at[i], end));
  };

  test.each([ANYWHERE, START])("the pieces do not matter, and nothing throws (%j)", (options) => {
    fc.assert(
      fc.property(garbage, fc.array(fc.nat(), { maxLength: 10 }), (text, cuts) => {
        const whole = streamed([text], options);
        const cut = streamed(chunksOf(text, cuts), options);
        expect(cut.text).toBe(whole.text);
        expect(cut.calls).toEqual(whole.calls);
        expect(streamed(Array.from(text), options).text).toBe(whole.text);
      }),
      { seed: 7, numRuns: 400 },
    );
  });

  test("without calls the text is the text", () => {
    fc.assert(
      fc.property(fc.oneof(garbage, fc.string({ unit: "binary" })), (text) => {
        const { text: rest, calls } = streamed([text]);
        if (calls.length === 0) expect(rest).toBe(text);
        // With calls it is what was around them: nothing is made up.
        let at = 0;
        const missing = Array.from(rest).find((c) => {
          at = text.indexOf(c, at) + c.length;
          return at < c.length;
        });
        expect(missing).toBe(undefined);
      }),
      { seed: 8, numRuns: 150 },
    );
  });

  test("text is shown as soon as it cannot be a call: what is held back can still become one, or is white space", () => {
    const call = '{"name": "f", "parameters": {"x": 1}}';
    for (let length = 0; length < call.length; length++) {
      const stream = new CallStream(ANYWHERE);
      expect(stream.push(call.slice(0, length))).toBe("");
      stream.push(call.slice(length));
      expect(stream.calls).toHaveLength(1);
    }
  });

  test("arguments are read as JSON.parse reads them", () => {
    const object = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 5 });
    fc.assert(
      fc.property(object, fc.constantFrom(0, 1, 4, "\t"), fc.boolean(), (given, indent, isFenced) => {
        const json = JSON.stringify({ name: "f", parameters: given }, null, indent);
        const { text, calls } = streamed(Array.from(isFenced ? `\`\`\`json\n${json}\n\`\`\`` : json));
        expect(text).toBe("");
        expect(calls).toEqual([{ name: "f", arguments: JSON.parse(JSON.stringify(given)) }]);
      }),
      { seed: 9, numRuns: 200 },
    );
  });
});

test("time grows with the text, not with its square", () => {
  const many = 20_000;
  const attacks = [
    "{".repeat(many),
    "[".repeat(many),
    "{\n".repeat(many),
    "[\n".repeat(many),
    "`".repeat(many),
    "```\n".repeat(many),
    '{"name": "f", "parameters": {"x": "'.padEnd(many, "\\"),
    '{"name": "f", "parameters": {"x": '.padEnd(many, "1"),
    '{"name": "f", "parameters": {"x": '.padEnd(many, "["),
    `{"name": "f", "parameters": {"x": [${"1, ".repeat(many)}`,
    "print(".repeat(many),
    "default_api.".repeat(many),
    "f(\n".repeat(many),
    "f(x=1),".repeat(many),
    " ".repeat(many),
    '{"name": "f", "parameters": {}}\n'.repeat(many / 10),
  ];
  for (const attack of attacks) {
    const start = performance.now();
    const { text, calls } = streamed(Array.from(attack));
    if (calls.length === 0) expect(text).toBe(attack);
    expect(performance.now() - start, attack.slice(0, 40)).toBeLessThan(2000); // a square would take minutes
  }
});
