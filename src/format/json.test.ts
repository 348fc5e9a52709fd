import { describe, expect, it } from "vitest";
import fc from "../../test/fast-check.js";
import { type JsonValue, parseJson } from "./json.js";
import { getBoolean, getInteger, getNumber, getObject, getString } from "./json-read.js";

/** Back to plain values, to compare with JSON.parse. */
function plain(value: JsonValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [k, plain(v)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

describe("parseJson", () => {
  it("equals JSON.parse on arbitrary values, from text and from bytes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(plain(parseJson(text, "t"))).toEqual(JSON.parse(text));
        if (!/\p{Surrogate}/u.test(text)) {
          expect(plain(parseJson(new TextEncoder().encode(text), "t"))).toEqual(JSON.parse(text));
        }
      }),
    );
  });

  it("agrees with JSON.parse on what is not JSON", () => {
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"',
      "\\u00e9",
      "\\x",
      "1",
      "01",
      "-",
      "1.",
      "e5",
      "tru",
      "null",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces, " ", "\n", "\u00a0"), { maxLength: 8 }), (parts) => {
        const text = parts.join("");
        let wanted: unknown;
        try {
          wanted = JSON.parse(text);
        } catch {
          expect(() => parseJson(text, "t")).toThrow(expect.objectContaining({ code: "ERR_INVALID_JSON" }));
          return;
        }
        try {
          expect(plain(parseJson(text, "t"))).toEqual(wanted);
        } catch (error) {
          // What JSON.parse lets through and this one does not: keys that occur twice, and numbers beyond a double.
          const isTooLarge = /\de\d{3}/.test(text);
          expect(error).toMatchObject({ code: isTooLarge ? "ERR_INVALID_JSON" : "ERR_DUPLICATE_NAME" });
        }
      }),
      { numRuns: 2000, examples: [[["1", "e5", "01"]]] },
    );
  });

  it.each([
    ["", "ERR_INVALID_JSON"],
    ["{} x", "ERR_INVALID_JSON"],
    ["[1,]", "ERR_INVALID_JSON"],
    ["1e999", "ERR_INVALID_JSON"],
    ["\ufeff{}", "ERR_INVALID_JSON"],
    ['"a\nb"', "ERR_INVALID_JSON"],
    ['"open', "ERR_INVALID_JSON"],
    ['"open\\', "ERR_INVALID_JSON"],
    ['"\\u12', "ERR_INVALID_JSON"],
    ['{"a":1,"b":2,"a":3}', "ERR_DUPLICATE_NAME"],
    ['{"a":1,"\\u0061":3}', "ERR_DUPLICATE_NAME"],
  ])("%j is refused with %s", (text, code) => {
    expect(() => parseJson(text, "t")).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ["65 arrays", "[".repeat(65) + "]".repeat(65)],
    ["100,000 arrays", "[".repeat(100_000)],
    ["100,000 objects", '{"a":'.repeat(100_000)],
  ])("refuses %s in each other without a stack overflow", (_, text) => {
    expect(() => parseJson(text, "t")).toThrow(expect.objectContaining({ code: "ERR_LIMIT_EXCEEDED" }));
  });

  it("refuses more values than the limit", () => {
    expect(() => parseJson("[1, {}]", "t", { maxValues: 3 })).not.toThrow();
    expect(() => parseJson("[1, {}]", "t", { maxValues: 2 })).toThrow(
      expect.objectContaining({ code: "ERR_LIMIT_EXCEEDED" }),
    );
  });

  it("refuses bytes that are not UTF-8, and texts beyond the limit", () => {
    expect(() => parseJson(Uint8Array.of(0x22, 0xc0, 0x80, 0x22), "t")).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_UTF8" }),
    );
    expect(() => parseJson("[1, 2, 3]", "t", { maxSize: 8 })).toThrow(
      expect.objectContaining({ code: "ERR_LIMIT_EXCEEDED" }),
    );
    expect(parseJson("[".repeat(64) + "]".repeat(64), "t")).toBeInstanceOf(Array);
    expect(() => parseJson("[1]", "t", { maxDepth: 1 })).not.toThrow();
    expect(() => parseJson("[[]]", "t", { maxDepth: 1 })).toThrow(
      expect.objectContaining({ code: "ERR_LIMIT_EXCEEDED" }),
    );
  });

  it("keeps __proto__ an ordinary key", () => {
    const object = parseJson('{"__proto__": {"x": 1}, "constructor": 2}', "t");
    expect(object).toBeInstanceOf(Map);
    expect([...(object as Map<string, JsonValue>).keys()]).toEqual(["__proto__", "constructor"]);
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it("names the place in its message", () => {
    expect(() => parseJson('{"a" 1}', "config.json")).toThrow('config.json: JSON needs a colon at 5, got "1}"');
  });
});

describe("getters", () => {
  const object = getObject(parseOuter(), "o", "f");
  function parseOuter() {
    const value = parseJson('{"o": {"s": "x", "n": 1.5, "i": 3, "b": true, "z": null}}', "f");
    return value as Map<string, JsonValue>;
  }

  it("return values of their type", () => {
    expect(getString(object, "s", "f")).toBe("x");
    expect(getNumber(object, "n", "f")).toBe(1.5);
    expect(getInteger(object, "i", "f")).toBe(3);
    expect(getBoolean(object, "b", "f")).toBe(true);
  });

  it("say what is wrong", () => {
    expect(() => getInteger(object, "s", "f")).toThrow('f: s must be an integer, got "x"');
    expect(() => getInteger(object, "n", "f")).toThrow("f: n must be an integer, got 1.5");
    expect(() => getString(object, "z", "f")).toThrow(expect.objectContaining({ code: "ERR_INVALID_TYPE" }));
    expect(() => getNumber(object, "toString", "f")).toThrow(expect.objectContaining({ code: "ERR_MISSING_KEY" }));
  });
});
