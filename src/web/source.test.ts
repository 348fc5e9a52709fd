import { expect, test } from "vitest";
import { fileNameOf, sourceOf } from "./source.js";

const BASE = "https://site.example/app/";
const HASH = "a".repeat(64);

test.each([
  ["gemma-3-270m", "gemma-3-270m"],
  ["Gemma-3-270m-PT", "gemma-3-270m"], // an alias
  ["my model.gguf", "my model.gguf"],
])("a name: %s", (text, name) => {
  expect(sourceOf(text, BASE)).toEqual({ name });
});

test.each([
  ["https://host/x.gguf", "https://host/x.gguf"],
  ["/x.gguf", "https://site.example/x.gguf"],
  ["./x.gguf", "https://site.example/app/x.gguf"],
  ["../x.gguf", "https://site.example/x.gguf"],
])("an address: %s", (text, href) => {
  expect(sourceOf(text, BASE)).toEqual({ name: href, url: new URL(href) });
});

test("a query is sent and is no part of the name; a hash is checked", () => {
  const source = sourceOf(`https://host/x.gguf?token=1#sha256=${HASH}`, BASE);
  expect(source).toEqual({ name: "https://host/x.gguf", url: new URL("https://host/x.gguf?token=1"), sha256: HASH });
  expect(() => sourceOf("https://host/x.gguf#sha256=abc", BASE)).toThrow(
    expect.objectContaining({ code: "ERR_INVALID_VALUE" }),
  );
  expect(() => sourceOf("https://me:secret@host/x.gguf", BASE)).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
});

test.each([
  ["https://host/a/model-q4.gguf", "model-q4.gguf"],
  ["https://host/a/", "model.gguf"],
  ["https://host/a/%2e%2e%2fx", "model.gguf"],
])("the file behind %s", (href, name) => {
  expect(fileNameOf(new URL(href))).toBe(name);
});
