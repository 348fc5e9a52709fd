import { describe, expect, it } from "vitest";
import fc from "../../test/fast-check.js";
import { bytesSource } from "./byte-source.js";
import { parseSafetensors } from "./safetensors.js";
import { SAFETENSORS_DTYPES } from "./safetensors-dtypes.js";
import {
  type SafetensorsData,
  type SafetensorsEntry,
  safetensorsFile,
  safetensorsHeader,
} from "./safetensors-write.js";

// What safetensors 0.8.0 for Python writes for these tensors (`safetensors.numpy.save`): its header, then 27 bytes of data.
const PYTHON_HEADER = [
  '{"__metadata__":{"format":"pt"},"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},',
  '"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[2,1],"data_offsets":[12,20]},',
  '"none":{"dtype":"F32","shape":[0],"data_offsets":[20,20]},"h":{"dtype":"F16","shape":[3],"data_offsets":[20,26]},',
  '"x \\"q\\" ü":{"dtype":"U8","shape":[1],"data_offsets":[26,27]}}   ',
].join("");
const PYTHON_DATA = "BwAAAAAAAAAAAEBAAACAPwAAAEAAPABAAEIJ"; // base64

describe("safetensorsHeader", () => {
  it("is read back, with the data aligned to 8 bytes", () => {
    const entries = [
      { name: "model.norm.weight", dtype: "BF16", shape: [3] },
      { name: "empty", dtype: "F32", shape: [0, 4] },
      { name: 'quote " and __proto__', dtype: "F32", shape: [2, 2] },
      { name: "__proto__", dtype: "I64", shape: [] },
    ];
    const bytes = written(entries, new Map([["format", "pt"]]));
    const { tensors, metadata } = parseSafetensors(bytesSource("written", bytes));
    expect([...tensors.values()].map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(entries);
    expect([...metadata]).toEqual([["format", "pt"]]);
    expect(tensors.get("model.norm.weight")!.offset % 8).toBe(0);
  });

  it("refuses names twice, the reserved name, and unknown types", () => {
    const entry = { name: "a", dtype: "F32", shape: [1] };
    expect(() => safetensorsHeader([entry, entry])).toThrow(expect.objectContaining({ code: "ERR_DUPLICATE_NAME" }));
    expect(() => safetensorsHeader([{ ...entry, name: "__metadata__" }])).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_NAME" }),
    );
    expect(() => safetensorsHeader([{ ...entry, dtype: "Q4_K" }])).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_DTYPE" }),
    );
  });
});

describe("safetensorsFile", () => {
  it("writes the bytes of the reference library", async () => {
    const bytes = await whole(
      [
        tensor("b", "F32", [2, 1], [0, 0, 128, 63, 0, 0, 0, 64]),
        tensor("a", "F32", [], [0, 0, 64, 64]),
        tensor("ids", "I64", [1], [7, 0, 0, 0, 0, 0, 0, 0]),
        tensor("h", "F16", [3], [0, 60, 0, 64, 0, 66]),
        tensor("none", "F32", [0], []),
        tensor('x "q" ü', "U8", [1], [9]),
      ],
      new Map([["format", "pt"]]),
    );
    const headerEnd = 8 + Buffer.byteLength(PYTHON_HEADER);
    expect([...bytes.subarray(0, 8)]).toEqual([0x78, 1, 0, 0, 0, 0, 0, 0]);
    expect(Buffer.from(bytes.subarray(8, headerEnd)).toString()).toBe(PYTHON_HEADER);
    expect(Buffer.from(bytes.subarray(headerEnd)).toString("base64")).toBe(PYTHON_DATA);
  });

  it("is read back, whatever the tensors, their order and their slices", async () => {
    await fc.assert(
      fc.asyncProperty(tensors(), metadata(), fc.integer({ min: 1, max: 9 }), async (given, texts, step) => {
        const bytes = await whole(
          given.map((each) => sliced(each, step)),
          texts,
        );
        const read = parseSafetensors(bytesSource("written", bytes));
        expect(new Map(read.metadata)).toEqual(texts);
        expect(read.tensors.size).toBe(given.length);
        for (const { name, dtype, shape, data } of given) {
          const info = read.tensors.get(name)!;
          expect({ dtype: info.dtype, shape: info.shape }).toEqual({ dtype, shape });
          expect([...info.source.read(info.offset, info.sizeBytes)]).toEqual([...(await all(data))]);
        }
        expect(await whole([...given].reverse(), texts)).toEqual(bytes);
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it("asks for a tensor's slices only when their turn comes", async () => {
    const asked: string[] = [];
    const watched = (name: string): SafetensorsData => ({
      name,
      dtype: "U8",
      shape: [1],
      data: () => {
        asked.push(name);
        return [Uint8Array.of(1)];
      },
    });
    const file = safetensorsFile([watched("b"), watched("a")]);
    await file.next();
    expect(asked).toEqual([]);
    await file.next();
    expect(asked).toEqual(["a"]);
    for await (const slice of file) expect(slice).toHaveLength(1);
    expect(asked).toEqual(["a", "b"]);
  });

  it.each([[3], [5]])("refuses %i bytes for a tensor of 4", async (length) => {
    await expect(whole([tensor("a", "F32", [1], Array(length).fill(0))])).rejects.toThrow(
      expect.objectContaining({ code: "ERR_SHAPE_MISMATCH" }),
    );
  });
});

function tensor(name: string, dtype: string, shape: readonly number[], bytes: readonly number[]): SafetensorsData {
  return { name, dtype, shape, data: () => [Uint8Array.from(bytes)] };
}

/** The same tensor in slices of `step` bytes, all in one buffer that is written again and again. */
function sliced(given: SafetensorsData, step: number): SafetensorsData {
  async function* data() {
    const bytes = await all(given.data);
    const buffer = new Uint8Array(step);
    for (let at = 0; at < bytes.length; at += step) {
      const part = bytes.subarray(at, at + step);
      buffer.set(part);
      yield buffer.subarray(0, part.length);
    }
  }
  return { ...given, data };
}

function whole(given: readonly SafetensorsData[], texts?: ReadonlyMap<string, string>): Promise<Uint8Array> {
  return all(() => safetensorsFile(given, texts));
}

async function all(data: SafetensorsData["data"]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const slice of data()) parts.push(Uint8Array.from(slice));
  return Uint8Array.from(Buffer.concat(parts));
}

function tensors() {
  const wholeByteTypes = [...SAFETENSORS_DTYPES].filter(([, bits]) => bits % 8 === 0);
  const one = fc
    .record({
      name: fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__"),
      type: fc.constantFrom(...wholeByteTypes),
      shape: fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
      fill: fc.nat({ max: 255 }),
    })
    .map(({ name, type: [dtype, bits], shape, fill }) => {
      const count = shape.reduce((product, size) => product * size, bits / 8);
      return tensor(
        name,
        dtype,
        shape,
        Array.from({ length: count }, (_, i) => (fill + i) & 255),
      );
    });
  return fc.uniqueArray(one, { selector: ({ name }) => name, maxLength: 8 });
}

function metadata() {
  return fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 }).map((entries) => new Map(entries));
}

/** A file with zeros as data. */
function written(entries: readonly SafetensorsEntry[], metadata?: ReadonlyMap<string, string>): Uint8Array {
  const header = safetensorsHeader(entries, metadata);
  const widths: Record<string, number> = { F32: 4, BF16: 2, I64: 8 };
  const data = entries.reduce((sum, { dtype, shape }) => sum + shape.reduce((a, b) => a * b, widths[dtype]!), 0);
  const bytes = new Uint8Array(header.length + data);
  bytes.set(header);
  return bytes;
}
