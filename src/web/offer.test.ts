import { expect, test } from "vitest";
import { CATALOGUE, DEFAULT_MODEL } from "../load/catalogue.js";
import { findOffered, modelsUrl, parseIndex } from "./offer.js";

const sha256 = "b".repeat(64);
const file = { name: "x.gguf", sizeBytes: 10, sha256 };
const index = (...models: object[]) => JSON.stringify({ models });
const model = { name: "tiny", label: "a tiny one", files: [file] };

test("models with their sizes, and adapters with their bases", () => {
  expect(parseIndex(index(model, { ...model, name: "tuned", base: "tiny" }), "i")).toEqual([
    { ...model, sizeBytes: 10 },
    { ...model, name: "tuned", sizeBytes: 10, base: "tiny" },
  ]);
});

test("a name of the catalogue must be the catalogue's file", () => {
  const known = CATALOGUE.find(({ name }) => name === DEFAULT_MODEL)!.file!;
  expect(() => parseIndex(index({ ...model, name: DEFAULT_MODEL }), "i")).toThrow(
    expect.objectContaining({ code: "ERR_CHECKSUM" }),
  );
  expect(parseIndex(index({ name: DEFAULT_MODEL, label: "", files: [known] }), "i")[0]!.sizeBytes).toBe(
    known.sizeBytes,
  );
});

test.each([
  ["no JSON", "<html>", "ERR_INVALID_JSON"],
  ["no list", "{}", "ERR_MISSING_KEY"],
  ["a name that leads elsewhere", index({ ...model, name: "../x" }), "ERR_INVALID_NAME"],
  ["a file that leads elsewhere", index({ ...model, files: [{ ...file, name: "../x" }] }), "ERR_PATH_ESCAPE"],
  ["a size that is none", index({ ...model, files: [{ ...file, sizeBytes: "10" }] }), "ERR_INVALID_TYPE"],
  ["a hash that is none", index({ ...model, files: [{ ...file, sha256: "x" }] }), "ERR_INVALID_VALUE"],
])("refused: %s", (_, text, code) => {
  expect(() => parseIndex(text, "i")).toThrow(expect.objectContaining({ code }));
});

test("aliases are found, others are told what there is", () => {
  const offered = parseIndex(index({ ...model, name: "gemma-3-1b-pt" }), "i");
  expect(findOffered("gemma-3-1b", offered, "i").name).toBe("gemma-3-1b-pt");
  expect(() => findOffered("none", offered, "i")).toThrow(
    expect.objectContaining({ code: "ERR_UNKNOWN_MODEL", hint: expect.stringContaining("gemma-3-1b-pt") }),
  );
});

test("the folder ends in a slash, relative to the page", () => {
  const url = (models?: string) => modelsUrl(models, "https://site.example/app/page.html").href;
  expect([url(), url("weights"), url("https://cdn.example/m/")]).toEqual([
    "https://site.example/models/",
    "https://site.example/app/weights/",
    "https://cdn.example/m/",
  ]);
});
