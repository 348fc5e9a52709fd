import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import fc from "../../test/fast-check.js";
import { bytesSource } from "./byte-source.js";
import { GGML_TYPES } from "./ggml-types.js";
import { parseGguf } from "./gguf.js";
import type { GgufStrings } from "./gguf-values.js";
import { f32, type GgufData, type GgufPairs, ggufFile, ggufLayout, ggufPairs, u32 } from "./gguf-write.js";

const NO_PAIRS = ggufPairs([]);

describe("ggufFile", () => {
  it.each(["meta-all-types", "shapes-align64", "q4_0", "q8_0"])("writes %s again, byte for byte", async (name) => {
    const original = readFileSync(new URL(`../../test/fixtures/gguf/types/${name}.gguf`, import.meta.url));
    const source = bytesSource(name, original);
    const { pairs, tensors, alignment } = parseGguf(source);
    const bytes = await whole(
      { count: pairs.count, bytes: source.read(pairs.offset, pairs.sizeBytes) },
      [...tensors.values()].map((info) => ({ ...info, data: () => [source.read(info.offset, info.sizeBytes)] })),
      alignment,
    );
    expect(Buffer.compare(bytes, original)).toBe(0);
  });

  it("writes values of every kind", async () => {
    const pairs = ggufPairs([
      ["general.architecture", "gemma3"],
      ["a.u32", u32(4_000_000_000)],
      ["a.f32", f32(0.1)],
      ["a.bool", true],
      ["a.text", "ü\0"],
      ["a.texts", ["", "▁x"]],
      ["a.ints", Int32Array.of(-1, 7)],
      ["a.longs", BigUint64Array.of(2n ** 63n)],
      ["a.none", []],
    ]);
    const { metadata } = parseGguf(bytesSource("written", await whole(pairs, [])));
    expect(metadata.get("general.architecture")).toBe("gemma3");
    expect(metadata.get("a.u32")).toBe(4_000_000_000);
    expect(metadata.get("a.f32")).toBe(Math.fround(0.1));
    expect(metadata.get("a.bool")).toBe(true);
    expect(metadata.get("a.text")).toBe("ü\0");
    const texts = metadata.get("a.texts") as GgufStrings;
    expect([texts.at(0), texts.at(1)]).toEqual(["", "▁x"]);
    expect(metadata.get("a.ints")).toEqual(Int32Array.of(-1, 7));
    expect(metadata.get("a.longs")).toEqual(BigUint64Array.of(2n ** 63n));
    expect(metadata.get("a.none")).toHaveLength(0);
    expect(ggufPairs([["a.texts", texts]])).toEqual(ggufPairs([["a.texts", ["", "▁x"]]]));
  });

  it("is read back, whatever the tensors and the alignment", async () => {
    await fc.assert(
      fc.asyncProperty(tensors(), fc.constantFrom(1, 8, 32, 64), async (given, alignment) => {
        const bytes = await whole(ggufPairs([["general.alignment", u32(alignment)]]), given, alignment);
        const read = parseGguf(bytesSource("written", bytes));
        expect([...read.tensors.keys()]).toEqual(given.map(({ name }) => name));
        for (const { name, dtype, shape, data } of given) {
          const { source, offset, sizeBytes, ...info } = read.tensors.get(name)!;
          expect(info).toEqual({ name, dtype, shape });
          expect(offset % alignment).toBe(0);
          expect(Buffer.compare(source.read(offset, sizeBytes), Buffer.concat([...(data() as Uint8Array[])]))).toBe(0);
        }
      }),
      { seed: 11, numRuns: 100 },
    );
  });

  it.each([[127], [129]])("refuses %i bytes for a tensor of 128", async (length) => {
    const tensor = { name: "a", dtype: "F32", shape: [32], data: () => [new Uint8Array(length)] };
    await expect(whole(NO_PAIRS, [tensor])).rejects.toThrow(expect.objectContaining({ code: "ERR_SHAPE_MISMATCH" }));
  });

  it("refuses names twice, unknown types and shapes that do not fit", () => {
    const entry = { name: "a", dtype: "Q8_0", shape: [2, 32] };
    const layout =
      (...entries: (typeof entry)[]) =>
      () =>
        ggufLayout(NO_PAIRS, entries);
    expect(layout(entry, entry)).toThrow(expect.objectContaining({ code: "ERR_DUPLICATE_NAME" }));
    expect(layout({ ...entry, dtype: "I64_" })).toThrow(expect.objectContaining({ code: "ERR_INVALID_DTYPE" }));
    for (const shape of [[], [33], [0, 32], [1, 1, 1, 1, 32]]) {
      expect(layout({ ...entry, shape })).toThrow(expect.objectContaining({ code: "ERR_INVALID_SHAPE" }));
    }
  });
});

async function whole(pairs: GgufPairs, given: readonly GgufData[], alignment?: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const slice of ggufFile(pairs, given, alignment)) parts.push(Uint8Array.from(slice));
  return Uint8Array.from(Buffer.concat(parts));
}

function tensors() {
  const one = fc
    .record({
      name: fc.string({ minLength: 1, maxLength: 20, unit: "binary-ascii" }),
      type: fc.constantFrom(...GGML_TYPES.values()),
      outer: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
      blocks: fc.integer({ min: 1, max: 3 }),
      fill: fc.nat({ max: 255 }),
    })
    .map(({ name, type, outer, blocks, fill }): GgufData => {
      const rows = outer.reduce((product, size) => product * size, 1);
      const bytes = new Uint8Array(rows * blocks * type.block.bytes).map((_, i) => fill + i);
      const shape = [...outer, blocks * type.block.elements];
      return { name, dtype: type.name, shape, data: () => [bytes.subarray(0, 5), bytes.subarray(5)] };
    });
  return fc.uniqueArray(one, { selector: ({ name }) => name, maxLength: 6 });
}
