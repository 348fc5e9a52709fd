import { expect, test } from "vitest";
import { tokenizerFixture } from "../../test/tiny-spm.js";
import { parseTokenizerJson } from "./tokenizer-json.js";

const text = new TextDecoder().decode(tokenizerFixture("tiny-spm/tokenizer.json"));

/** The fixture with some text replaced. */
function changed(from: string, to: string): string {
  expect(text).toContain(from);
  return text.replace(from, to);
}

test("added tokens are control or user-defined, bytes are bytes, merges rank the rest", () => {
  const file = parseTokenizerJson(text, "tokenizer.json");
  const json = JSON.parse(text);
  const types = Array.from(file.types);
  for (const { id, special } of json.added_tokens) if (id !== 3) expect(types[id]).toBe(special ? 3 : 4);
  expect(types[json.model.vocab["<unk>"]]).toBe(2);
  expect(types.filter((type) => type === 6)).toHaveLength(256);
  expect(file.unkId).toBe(3);
  // Ranks fall in the order in which the list first makes a token.
  const made = [...new Set<number>(json.model.merges.map((pair: string[]) => json.model.vocab[pair.join("")]))];
  const scores = made.map((id) => file.scores[id]!).filter((score) => score !== 0);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
  expect(new Set(scores).size).toBe(scores.length);
});

test("what would change the ids is refused", () => {
  const refused = expect.objectContaining({ code: "ERR_UNSUPPORTED_OPTION" });
  const read = (json: string) => () => parseTokenizerJson(json, "tokenizer.json");
  const compact = JSON.stringify(JSON.parse(text));
  const variant = (from: string, to: string) => {
    expect(compact).toContain(from);
    return read(compact.replace(from, to));
  };
  expect(variant('"type":"Replace"', '"type":"Prepend"')).toThrow(refused);
  expect(variant('"dropout":null', '"dropout":0.1')).toThrow(refused);
  expect(variant('"ignore_merges":false', '"ignore_merges":true')).toThrow(refused);
  expect(variant('"type":"Split"', '"type":"ByteLevel"')).toThrow(refused);
  expect(variant('"type":"BPE"', '"type":"WordPiece"')).toThrow(refused);
});

test("malformed parts are refused with their place", () => {
  const tokens = { "<unk>": 0, a: 1, b: 2, ab: 3 };
  const file =
    (model: object, added: unknown = []) =>
    () =>
      parseTokenizerJson(
        JSON.stringify({ added_tokens: added, model: { type: "BPE", vocab: tokens, merges: [], ...model } }),
        "t.json",
      );
  expect(file({})).not.toThrow();
  expect(file({ merges: [["a"]] })).toThrow(/t.json: merge 0: must be two tokens/);
  expect(file({ merges: [["a", 1]] })).toThrow(expect.objectContaining({ code: "ERR_INVALID_TYPE" }));
  expect(file({ merges: 3 })).toThrow(expect.objectContaining({ code: "ERR_INVALID_TYPE" }));
  expect(file({ vocab: { a: 0, b: 2 } })).toThrow(/ids must be consecutive, got no token 1/);
  expect(file({ vocab: { a: -1 } })).toThrow(expect.objectContaining({ code: "ERR_INVALID_VALUE" }));
  expect(file({ vocab: { a: 0.5 } })).toThrow(expect.objectContaining({ code: "ERR_INVALID_TYPE" }));
  expect(file({}, [{ id: 9, content: "a" }])).toThrow(expect.objectContaining({ code: "ERR_DUPLICATE_NAME" }));
  expect(file({}, [{ content: "x" }])).toThrow(expect.objectContaining({ code: "ERR_MISSING_KEY" }));
  expect(() => parseTokenizerJson("[]", "t.json")).toThrow(expect.objectContaining({ code: "ERR_INVALID_TYPE" }));
  expect(() => parseTokenizerJson("{", "t.json")).toThrow(expect.objectContaining({ code: "ERR_INVALID_JSON" }));
});

test("keys such as __proto__ are tokens like others", () => {
  const json = changed('"<pad>": 0', '"__proto__": 0').replaceAll('"content": "<pad>"', '"content": "__proto__"');
  const file = parseTokenizerJson(json, "tokenizer.json");
  expect(new TextDecoder().decode(file.bytes.subarray(file.starts[0], file.ends[0]))).toBe("__proto__");
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});
