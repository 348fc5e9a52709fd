import { expect, test } from "vitest";
import { completionLogprobs, TextOffsets } from "./logprobs.js";

const utf8 = new TextEncoder();
const at = (parts: readonly (string | number[])[]) => {
  const offsets = new TextOffsets();
  return parts.map((part) => offsets.next(typeof part === "string" ? utf8.encode(part) : Uint8Array.from(part)));
};

test("offsets count characters; parts of one stand where it begins", () => {
  expect(at(["the", " é", "🙂", "!"])).toEqual([0, 3, 5, 6]);
  const [a, b, c, d] = utf8.encode("🙂");
  expect(at(["x", [a!], [b!], [c!], [d!], "y"])).toEqual([0, 1, 1, 1, 1, 2]);
  expect(at([[a!, b!], [c!, d!, 0x79], "z"])).toEqual([0, 0, 2]);
  expect(at(["é", [0xa9], [0xa9], "z"])).toEqual([0, 1, 2, 3]); // bytes astray are characters of their own
  expect(at([[a!], "y", "z"])).toEqual([0, 1, 2]); // a character that breaks off
});

test("parts of characters have names of their own, a hidden token no room", () => {
  const bytes = [utf8.encode("<bos>"), Uint8Array.from([0xf0, 0x9f]), Uint8Array.from([0x99, 0x82]), utf8.encode("a")];
  const token = (id: number, logprob: number, top: readonly number[] = []) => ({
    id,
    logprob: { id, logprob, top: top.map((other) => ({ id: other, logprob: -0.5 })) },
  });
  const tokens = [{ id: 0, logprob: null, isHidden: true }, token(1, -1, [2]), token(2, -Infinity), token(3, 0)];
  expect(completionLogprobs(tokens, (id) => bytes[id]!, new TextOffsets())).toEqual({
    tokens: ["<bos>", "bytes:\\xf0\\x9f", "bytes:\\x99\\x82", "a"],
    token_logprobs: [null, -1, -9999, 0],
    top_logprobs: [null, { "bytes:\\x99\\x82": -0.5, "bytes:\\xf0\\x9f": -1 }, { "bytes:\\x99\\x82": -9999 }, { a: 0 }],
    text_offset: [0, 0, 0, 1],
  });
});
