import { expect, test } from "vitest";
import { CATALOGUE, DEFAULT_MODEL, findEntry } from "./catalogue.js";
import { isModelName } from "./names.js";
import { describeSpec, parseSpec } from "./spec.js";
import { cacheName } from "./target.js";

const HEX = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818";

test.each([
  ["hf:google/gemma-2b", { kind: "hf", owner: "google", repo: "gemma-2b", revision: "main" }],
  ["hf:o/r@v1.0:sub/m.gguf", { kind: "hf", owner: "o", repo: "r", revision: "v1.0", file: "sub/m.gguf" }],
  ["hf:o/r@refs/pr/1", { kind: "hf", owner: "o", repo: "r", revision: "refs/pr/1" }],
  ["kaggle:google/gemma/transformers/2b", { kind: "kaggle", variation: "2b" }],
  ["kaggle:google/gemma/transformers/2b/3", { kind: "kaggle", version: 3 }],
  ["pip:a-b==1.0.0,c.d==2.0rc1", { kind: "pip", requirements: ["a-b==1.0.0", "c.d==2.0rc1"] }],
  [`https://host.example/m.gguf#sha256=${HEX}`, { kind: "https", sha256: HEX }],
])("%s", (text, wanted) => expect(parseSpec(text)).toMatchObject(wanted));

test.each([
  "hf:google",
  "hf:google/",
  "hf:../x",
  "hf:a/..",
  "hf:a/b/c",
  "hf:a/b@..",
  "hf:a/b@x/../y",
  "hf:a/b:../m.gguf",
  "hf:a/b:/etc/passwd",
  "hf:a/b:x\\y",
  "hf:a/b?x=1",
  "kaggle:a/b/c",
  "kaggle:a/b/c/d/e",
  "kaggle:a/b/c/d/0",
  "kaggle:a/b/c/d/1/2",
  "kaggle:a/../c/d",
  "pip:",
  "pip:gemma",
  "pip:gemma>=1",
  "pip:-rfile==1",
  "pip:--index-url=http://evil==1",
  "pip:a==1;os_name=='x'",
  "pip:a==1 b",
  "pip:a @ file:///x==1",
  "pip:a[extra]==1",
  "pip:a==1,",
  "pip:a==../x",
  "http://host.example/m.gguf",
  "https://user:hunter2@host.example/m.gguf",
  "https://good\\@evil.example/m.gguf",
  "https:// host/m.gguf",
  "https://host.example/m.gguf#md5=1",
])("%s is refused with the right form, and shows no password", (text) => {
  expect(() => parseSpec(text)).toThrow(
    expect.objectContaining({ code: "ERR_USAGE", message: expect.not.stringContaining("hunter2") }),
  );
});

test("an address is shown and stored without its query", () => {
  expect(describeSpec(parseSpec("https://host.example/m.gguf?X-Signature=secret"))).toBe("https://host.example/m.gguf");
});

test("sources get folder names of their own", () => {
  const texts = [
    "hf:google/gemma-2b",
    "hf:Google/gemma-2b",
    "hf:google/gemma-2b@v1",
    "hf:google/gemma-2b:m.gguf",
    "https://h.example/m.gguf?a=1",
    "https://h.example/m.gguf?a=2",
    `pip:${"x".repeat(190)}==1`,
  ];
  const names = texts.map((text) => cacheName(text));
  expect(new Set(names).size).toBe(texts.length);
  for (const name of names) expect(isModelName(name), name).toBe(true);
  expect(names[0]).toMatch(/^hf-google-gemma-2b-[0-9a-f]{8}$/);
});

test("every entry of the catalogue has a usable name, unique aliases and sources that parse", () => {
  const names = CATALOGUE.flatMap((entry) => [entry.name, ...(entry.aliases ?? [])]);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(isModelName(name), name).toBe(true);
  for (const source of CATALOGUE.flatMap((entry) => entry.sources))
    expect(describeSpec(parseSpec(source))).toBe(source);
  expect(findEntry(DEFAULT_MODEL)?.file).toMatchObject({ sizeBytes: 253_113_024, sha256: HEX });
});
