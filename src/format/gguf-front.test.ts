import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { bytesSource } from "./byte-source.js";
import { parseGguf } from "./gguf.js";
import { parseGgufFront } from "./gguf-front.js";
import type { GgufStrings } from "./gguf-values.js";

const bytes = readFileSync(TINY.gemma3);
const { metadata } = parseGguf(bytesSource("x", bytes));

test("the front of a file has the configuration and the size of the vocabulary", () => {
  const front = parseGgufFront("x", bytes.subarray(0, 16 << 10));
  expect(front.tokens).toBe((metadata.get("tokenizer.ggml.tokens") as GgufStrings).length);
  for (const [key, value] of front.metadata) expect([key, value]).toEqual([key, metadata.get(key)]);
  expect(front.metadata.get("general.architecture")).toBe("gemma3");
});

test("wherever the bytes end, what is there is right", () => {
  for (let length = 8; length < 3000; length += 37) {
    for (const [key, value] of parseGgufFront("x", bytes.subarray(0, length)).metadata) {
      expect([length, key, value]).toEqual([length, key, metadata.get(key)]);
    }
  }
});

test("what is no GGUF file is refused", () => {
  expect(() => parseGgufFront("x", Buffer.from("<!doctype html>"))).toThrow(
    expect.objectContaining({ code: "ERR_BAD_MAGIC" }),
  );
});
