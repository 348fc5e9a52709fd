import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { badCaseBytes, badCases, expectCase } from "../../test/bad-cases.js";
import { GemmaError } from "../base/errors.js";
import { bytesSource } from "./byte-source.js";
import { parseSafetensors } from "./safetensors.js";
import { parseSafetensorsIndex } from "./safetensors-index.js";
import { type SafetensorsEntry, safetensorsHeader } from "./safetensors-write.js";

describe("parseSafetensors", () => {
  it("reads tensors written by the reference library", () => {
    const bytes = readFileSync(new URL("../../test/fixtures/gguf/types/expected.safetensors", import.meta.url));
    const { tensors } = parseSafetensors(bytesSource("expected", bytes));
    const tensor = tensors.get("shapes.s3");
    expect(tensor).toMatchObject({ name: "shapes.s3", dtype: "F32", shape: [2, 3, 4], sizeBytes: 96 });
    expect(tensor?.source.read(tensor.offset, tensor.sizeBytes)).toHaveLength(96);
  });

  it.each(badCases("safetensors").map((c) => [c.id, c] as const))("%s", (_, badCase) => {
    expectCase(badCase, () => parseSafetensors(bytesSource(badCase.id, badCaseBytes(badCase))));
  });

  it("keeps __proto__ and constructor ordinary names", () => {
    const bytes = badCaseBytes(badCases("safetensors").find(({ id }) => id.endsWith("control-proto-name"))!);
    expect([...parseSafetensors(bytesSource("proto", bytes)).tensors.keys()].sort()).toEqual([
      "__proto__",
      "constructor",
    ]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it("a good file cut at any byte is refused", () => {
    const bytes = written([
      { name: "a", dtype: "F32", shape: [2] },
      { name: "b", dtype: "BF16", shape: [] },
    ]);
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytesSource("cut", bytes.subarray(0, length));
      expect(() => parseSafetensors(cut), `cut at ${length}`).toThrow(GemmaError);
    }
  });

  it.each([
    ['{"t":{"dtype":"F128","shape":[2],"data_offsets":[0,8]}}', "ERR_INVALID_DTYPE"],
    ['{"t":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', "ERR_OUT_OF_BOUNDS"],
    ['{"t":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}', "ERR_INVALID_SHAPE"],
    ['{"t":{"dtype":"F32","shape":[1e30],"data_offsets":[0,8]}}', "ERR_INVALID_SHAPE"],
    ['{"t":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}', "ERR_INVALID_SHAPE"],
    ['{"t":{"dtype":"F4","shape":[15],"data_offsets":[0,8]}}', "ERR_INVALID_SHAPE"],
    ['{"t":{"dtype":"F32","data_offsets":[0,8]}}', "ERR_INVALID_SHAPE"],
    ['{"t":{"dtype":"F32","shape":[2]}}', "ERR_INVALID_HEADER"],
    ['{"__metadata__":{"a":1},"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', "ERR_INVALID_HEADER"],
    ['{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', "ERR_HOLE"],
  ])("%s is refused with %s", (json, code) => {
    const header = new TextEncoder().encode(json);
    const bytes = new Uint8Array(8 + header.length + 8);
    new DataView(bytes.buffer).setUint32(0, header.length, true);
    bytes.set(header, 8);
    expect(() => parseSafetensors(bytesSource("t", bytes))).toThrow(expect.objectContaining({ code }));
  });
});

describe("parseSafetensorsIndex", () => {
  const parse = (weightMap: unknown) =>
    parseSafetensorsIndex(new TextEncoder().encode(JSON.stringify({ weight_map: weightMap })), "index");

  it("maps tensors to shards", () => {
    const shards = parse({ a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" });
    expect(shards.get("b")).toBe("model-00002-of-00002.safetensors");
  });

  it.each([
    "/etc/passwd",
    "../x.safetensors",
    "..",
    ".",
    "",
    "./sub/../../outside.safetensors",
    "sub/x.safetensors",
    "http://localhost:9/x.safetensors",
    "file:///etc/passwd",
    "\\\\host\\share\\x",
    "C:x.safetensors",
    "x\0.safetensors",
    "x".repeat(300),
  ])("refuses the shard name %j", (name) => {
    expect(() => parse({ a: name })).toThrow(expect.objectContaining({ code: "ERR_PATH_ESCAPE" }));
  });

  it("refuses other types", () => {
    expect(() => parse({ a: 7 })).toThrow(expect.objectContaining({ code: "ERR_INVALID_TYPE" }));
    expect(() => parse([])).toThrow(expect.objectContaining({ code: "ERR_INVALID_TYPE" }));
    expect(() => parse(undefined)).toThrow(expect.objectContaining({ code: "ERR_MISSING_KEY" }));
  });
});

/** A file with zeros as data. */
function written(entries: readonly SafetensorsEntry[], metadata?: ReadonlyMap<string, string>): Uint8Array {
  const header = safetensorsHeader(entries, metadata);
  const widths: Record<string, number> = { F32: 4, BF16: 2, I64: 8 };
  const data = entries.reduce((sum, { dtype, shape }) => sum + shape.reduce((a, b) => a * b, widths[dtype]!), 0);
  const bytes = new Uint8Array(header.length + data);
  bytes.set(header);
  return bytes;
}
