import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { badCaseBytes, badCases, expectCase } from "../../test/bad-cases.js";
import { GemmaError } from "../base/errors.js";
import { type ByteSource, bytesSource } from "./byte-source.js";
import { parseGguf } from "./gguf.js";
import { GgufStrings, type GgufValue } from "./gguf-values.js";

const types = new URL("../../test/fixtures/gguf/types/", import.meta.url);

function read(name: string): Uint8Array {
  return readFileSync(new URL(name, types));
}

/** A metadata value in the form of meta-all-types.json. */
function plain(value: GgufValue): unknown {
  if (value instanceof GgufStrings) return Array.from({ length: value.length }, (_, i) => value.at(i));
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value)) return [...(value as Int32Array)];
  if (typeof value === "bigint" || value === Number.POSITIVE_INFINITY) return String(value).replace("Infinity", "inf");
  return value;
}

describe("parseGguf", () => {
  it("reads every metadata type", () => {
    const { metadata, version, alignment } = parseGguf(bytesSource("meta", read("meta-all-types.gguf")));
    expect({ version, alignment }).toEqual({ version: 3, alignment: 32 });
    const wanted = JSON.parse(new TextDecoder().decode(read("meta-all-types.json"))) as Record<
      string,
      { type: string; value: unknown }
    >;
    expect(Object.keys(wanted).length).toBe(21);
    delete wanted["test.str_empty"]; // the writer of the fixture leaves out empty strings: the file has no such key
    for (const [key, { type, value }] of Object.entries(wanted)) {
      const got = plain(metadata.get(key)!);
      expect(got, key).toEqual(type === "array<bool>" ? (value as boolean[]).map(Number) : value);
    }
  });

  it("reads an empty string", () => {
    expect(parseGguf(bytesSource("empty", fileOf([pair("a", "")]))).metadata.get("a")).toBe("");
  });

  it("reads version 2, and every tensor type with row-major shapes", () => {
    expect(parseGguf(bytesSource("v2", read("version2.gguf"))).version).toBe(2);
    for (const name of readdirSync(types).filter((file) => /^(b?f|i?q|mx).*\.gguf$/.test(file))) {
      if (name === "f16-all-patterns.gguf") continue;
      const tensor = parseGguf(bytesSource(name, read(name))).tensors.get("t");
      expect(tensor?.dtype).toBe(name.slice(0, -5).toUpperCase());
      expect(tensor?.shape).toEqual([6, 512]);
    }
  });

  it("reads 1 to 4 dimensions, aligned to 64", () => {
    const { tensors, alignment } = parseGguf(bytesSource("shapes", read("shapes-align64.gguf")));
    expect(alignment).toBe(64);
    expect([...tensors.values()].map((t) => t.shape)).toEqual([[1], [3], [7, 5], [2, 3, 4], [2, 3, 2, 5], [33]]);
    for (const tensor of tensors.values()) expect(tensor.offset % 64).toBe(0);
  });

  it("refuses big-endian files saying so", () => {
    expect(() => parseGguf(bytesSource("be", read("meta-big-endian.gguf")))).toThrow(/big-endian/);
  });

  it("reads a header across the border of two slices, and no tensor data", () => {
    const text = "x".repeat(700_000);
    const bytes = fileOf([pair("a", text), pair("b", text), pair("c", text)]);
    const source = counting(bytesSource("long", bytes));
    const { metadata } = parseGguf(source);
    expect([...metadata.values()]).toEqual([text, text, text]);
    expect(source.reads).toBeLessThan(6);
  });

  it("keeps values when later slices come into the same memory", () => {
    const texts = ["a".repeat(70_000), "", "b", "c".repeat(1_100_000), "d", "e".repeat(65_535), "f"];
    const strings = (key: string) =>
      join(pairHeader(key, 9), u32(8), u64(BigInt(texts.length)), ...texts.map((text) => string(text)));
    const numbers = join(pairHeader("numbers", 9), u32(4), u64(2n), u32(7), u32(8));
    const bytes = fileOf([numbers, pair("text", "first"), strings("x"), strings("y")]);
    const source: ByteSource = {
      ...bytesSource("file", bytes),
      read(offset, length, buffer) {
        const fits = buffer !== undefined && length <= buffer.length;
        const into = fits ? buffer.subarray(0, length) : new Uint8Array(length);
        into.set(bytes.subarray(offset, offset + length));
        return into;
      },
    };
    const { metadata } = parseGguf(source);
    expect([...metadata.values()].map(plain)).toEqual([[7, 8], "first", texts, texts]);
  });

  it("reads values of every width wherever the border of two slices cuts them", () => {
    const sliceBytes = 2 ** 20;
    const values = join(
      join(pairHeader("u16", 2), Uint8Array.of(1, 2)),
      join(pairHeader("u32", 4), u32(0x01020304)),
      join(pairHeader("u64", 10), u64(0x0102030405060708n)),
      join(pairHeader("f32", 6), new Uint8Array(Float32Array.of(1.5).buffer)),
      join(pairHeader("bool", 7), Uint8Array.of(1)),
      join(pairHeader("strings", 9), u32(8), u64(2n), string("ab"), string("c")),
      join(pairHeader("numbers", 9), u32(5), u64(2n), u32(7), u32(8)),
    );
    const front = header(0n, 8n).length + pairHeader("pad", 8).length + 8;
    for (let cut = 0; cut <= values.length; cut++) {
      const bytes = join(header(0n, 8n), pair("pad", " ".repeat(sliceBytes - front - cut)), values);
      const { metadata } = parseGguf(bytesSource("cut", bytes));
      expect([...metadata.values()].slice(1).map(plain), `border ${cut} bytes behind the pad`).toEqual([
        0x0201,
        0x01020304,
        "72623859790382856",
        1.5,
        true,
        ["ab", "c"],
        [7, 8],
      ]);
    }
  });
});

describe("malformed GGUF files", () => {
  const containerCases = badCases("gguf").filter(({ id }) => !id.startsWith("gguf/model-"));
  it.each(containerCases.map((c) => [c.id, c] as const))("%s", (_, badCase) => {
    expectCase(badCase, () => parseGguf(bytesSource(badCase.id, badCaseBytes(badCase))));
  });

  it("a good file cut at any byte of its header is refused", () => {
    const bytes = badCaseBytes(badCases("gguf").find(({ id }) => id === "gguf/control-model")!);
    const { tensors } = parseGguf(bytesSource("whole", bytes));
    const headerEnd = Math.min(...[...tensors.values()].map((t) => t.offset));
    for (let length = 0; length < headerEnd; length++) {
      expect(() => parseGguf(bytesSource("cut", bytes.subarray(0, length))), `cut at ${length}`).toThrow(GemmaError);
    }
  });

  it("counts and lengths are refused before memory is taken for them", () => {
    const absurd = [2n ** 63n, 2n ** 64n - 1n, 2n ** 53n + 1n, 2n ** 40n, 2n ** 32n, 2n ** 31n, 10n ** 9n];
    let before = 0;
    for (const [round, count] of absurd.entries()) {
      if (round === 1) before = process.memoryUsage().rss; // round 0 warms up the test itself
      for (const bytes of [
        header(count, 0n),
        header(0n, count),
        join(header(0n, 1n), pairHeader("k", 8), u64(count)),
        join(header(0n, 1n), u64(count)),
        ...[0, 7, 8, 9, 12].map((type) => join(header(0n, 1n), pairHeader("k", 9), u32(type), u64(count))),
        ...[1, 2].map((dimensions) => tensorFile(Array(dimensions).fill(count), 0n)),
        tensorFile([32n], count),
      ]) {
        const padded = join(bytes, new Uint8Array(4096));
        expect(() => parseGguf(bytesSource("absurd", padded))).toThrow(GemmaError);
      }
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(16 * 1024 * 1024);
  });

  it("a file of 1 TB gets no more memory than a header needs", () => {
    const nested = join(...Array(70_000).fill(join(u32(4), u64(0n))));
    for (const [what, bytes, code = "ERR_LIMIT_EXCEEDED"] of [
      ["key", join(header(0n, 1n), u64(2n ** 38n)), "ERR_INVALID_NAME"],
      ["string", join(header(0n, 1n), pairHeader("k", 8), u64(2n ** 39n))],
      ["numbers", join(header(0n, 1n), pairHeader("k", 9), u32(0), u64(2n ** 38n))],
      ["strings", join(header(0n, 1n), pairHeader("k", 9), u32(8), u64(2n ** 30n))],
      ["arrays", join(header(0n, 1n), pairHeader("k", 9), u32(9), u64(70_000n), nested)],
      ["pairs", header(0n, 2n ** 30n)],
      ["tensors", header(2n ** 30n, 0n)],
    ] as const) {
      const source: ByteSource = {
        ...bytesSource(what, bytes),
        sizeBytes: 2 ** 40,
        read(offset, length) {
          expect(length, what).toBeLessThanOrEqual(2 ** 20);
          const zeros = new Uint8Array(length);
          zeros.set(bytes.subarray(offset, offset + length));
          return zeros;
        },
      };
      expect(() => parseGguf(source), what).toThrow(expect.objectContaining({ code }));
    }
  });

  it.each([
    [[2n ** 32n, 2n ** 32n, 2n], "ERR_OVERFLOW"], //  the product wraps 2^64
    [[2n ** 62n, 8n], "ERR_OVERFLOW"],
    [[0n], "ERR_INVALID_SHAPE"],
    [[1n, 1n, 1n, 1n, 1n], "ERR_INVALID_SHAPE"],
    [[2n ** 20n], "ERR_TRUNCATED"],
  ] as const)("dimensions %s are refused with %s", (dimensions, code) => {
    const bytes = join(tensorFile(dimensions, 0n), new Uint8Array(256));
    expect(() => parseGguf(bytesSource("shape", bytes))).toThrow(expect.objectContaining({ code }));
  });

  it.each([0, 3, 2 ** 31 + 1])("alignment %d is refused", (alignment) => {
    const bytes = join(header(0n, 1n), pairHeader("general.alignment", 4), u32(alignment));
    expect(() => parseGguf(bytesSource("alignment", bytes))).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_VALUE" }),
    );
  });
});

// A writer of GGUF pieces, for what the fixtures do not have.

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function u64(value: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}

function string(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return join(u64(BigInt(bytes.length)), bytes);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function header(tensorCount: bigint, pairCount: bigint): Uint8Array {
  return join(new TextEncoder().encode("GGUF"), u32(3), u64(tensorCount), u64(pairCount));
}

function pairHeader(key: string, type: number): Uint8Array {
  return join(string(key), u32(type));
}

function pair(key: string, text: string): Uint8Array {
  return join(pairHeader(key, 8), string(text));
}

function fileOf(pairs: readonly Uint8Array[]): Uint8Array {
  return join(header(0n, BigInt(pairs.length)), ...pairs);
}

function tensorFile(dimensions: readonly bigint[], offset: bigint): Uint8Array {
  const entry = join(string("t"), u32(dimensions.length), ...dimensions.map(u64), u32(0), u64(offset));
  return join(header(1n, 0n), entry);
}

function counting(source: ByteSource): ByteSource & { reads: number } {
  const counted = {
    ...source,
    reads: 0,
    read(offset: number, length: number) {
      counted.reads++;
      return source.read(offset, length);
    },
  };
  return counted;
}
