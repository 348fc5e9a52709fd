import { describe, expect, test } from "vitest";
import fc from "../../../test/fast-check.js";
import { itSurvives } from "../../../test/fuzz.js";
import { CallStream, type CallStreamOptions } from "./call-stream.js";

const ANYWHERE: CallStreamOptions = {
  names: ["f", "get_weather", "get"],
  at: "anywhere",
  most: Number.POSITIVE_INFINITY,
};
const START: CallStreamOptions = { ...ANYWHERE, at: "start" };

function divided(pieces: Iterable<string>, options = ANYWHERE) {
  const stream = new CallStream(options);
  const shown = Array.from(pieces, (piece) => stream.push(piece));
  shown.push(stream.end());
  return { text: shown.join(""), calls: stream.calls };
}

const call = '{"name": "f", "parameters": {"x": [1, "a"]}}';
const parts = [
  ...'{ } [ ] ( ) " \' , : = ` ``` \\ \\u00 1 - . e ; "name" "parameters" "f" f( get _weather print( True null \u00e9 \u{1f600}'.split(
    " ",
  ),
  ...["\n", " ", "```json\n", "```js\n", "default_api.", call, "f(x=1)", "[get()]", '{"name": "f", "parameters": '],
];
const joined = (from: readonly string[], maxLength: number) =>
  fc.array(fc.constantFrom(...from), { maxLength }).map((chosen) => chosen.join(""));
const talk = joined([call, "f(x=1)", "[get()]", "\n", "\n", " ", ",", "Well.", "```json\n", "```\n", "```js\n"], 12);
const anyText = fc.oneof(joined(parts, 40), talk, fc.string());

describe("properties", () => {
  test.each([ANYWHERE, START])("the pieces do not matter (%j)", (options) => {
    fc.assert(
      fc.property(anyText, fc.array(fc.nat(), { maxLength: 10 }), (text, cuts) => {
        const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((end, i) => text.slice(at[i], end));
        const whole = divided([text], options);
        expect(divided(pieces, options)).toEqual(whole);
        expect(divided(text, options)).toEqual(whole);
      }),
      { seed: 7, numRuns: 400 },
    );
  });

  test("without calls the text is the text; with calls nothing is made up", () => {
    let [plain, calling] = [0, 0];
    fc.assert(
      fc.property(anyText, (text) => {
        const { text: rest, calls } = divided([text]);
        if (calls.length === 0) expect(rest).toBe(text);
        if (calls.length === 0) plain++;
        else calling++;
        let at = 0;
        const missing = Array.from(rest).find((c) => {
          at = text.indexOf(c, at) + c.length;
          return at < c.length;
        });
        expect(missing).toBe(undefined);
      }),
      { seed: 8, numRuns: 200 },
    );
    expect(plain).toBeGreaterThan(20);
    expect(calling).toBeGreaterThan(20);
  });

  test("arguments are read as JSON.parse reads them", () => {
    const unit = fc.constantFrom(..."abc'{[: /", '"', "\\", "\n", "\u0001", "\u00e9", "\u{1f600}", "\ud800");
    const value = fc.jsonValue({ maxDepth: 4, stringUnit: unit });
    const object = fc.dictionary(fc.oneof(fc.string({ unit }), fc.constant("__proto__")), value, { maxKeys: 5 });
    fc.assert(
      fc.property(object, fc.constantFrom(0, 1, 4, "\t"), fc.boolean(), (given, indent, isFenced) => {
        const json = JSON.stringify({ name: "f", parameters: given }, null, indent);
        const { text, calls } = divided(isFenced ? `\`\`\`json\n${json}\n\`\`\`` : json);
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
    ...["{", "[", "{\n", "[\n", "`", "```\n", "print(", "default_api.", "f(\n", "f(x=1),", " ", `${call}\n`].map(
      (part) => part.repeat(many / part.length),
    ),
    ...["\\", "1", "[", "1, ", '"'].map((part) => `{"name": "f", "parameters": {"x": ["${part.repeat(many)}`),
    ...["1", "[", "1, "].map((part) => `{"name": "f", "parameters": {"x": [${part.repeat(many)}`),
  ];
  for (const attack of attacks) {
    const start = performance.now();
    const { text, calls } = divided(attack);
    if (calls.length === 0) expect(text).toBe(attack);
    expect(performance.now() - start, attack.slice(0, 40)).toBeLessThan(1000); // a square would take minutes
  }
});

describe("fuzz", () => {
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  const seeds = [
    call,
    `[${call}, ${call}]`,
    `Well.\n\`\`\`tool_code\nprint(f(x='a', y=[1.5e3, None]))\n\`\`\`\nSo.`,
  ].map(bytesOf);
  const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  itSurvives("CallStream", seeds, (bytes) => divided(textOf(bytes)));
  itSurvives("CallStream at the start", seeds, (bytes) => divided(textOf(bytes), START));
});
