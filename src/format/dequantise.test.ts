import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { STORED_DTYPES, type StoredDtype } from "../base/dtype.js";
import { bytesSource } from "./byte-source.js";
import { dequantise } from "./dequantise.js";
import { parseGguf } from "./gguf.js";
import { parseSafetensors } from "./safetensors.js";
import type { TensorInfo } from "./tensor-info.js";

// The oracle is ggml's C code and gguf-py, which agree in every bit (test/fixtures/gguf/types).
const folder = new URL("../../test/fixtures/gguf/types/", import.meta.url);
const expected = parseSafetensors(
  bytesSource("expected", readFileSync(new URL("expected.safetensors", folder))),
).tensors;

function tensorsOf(file: string): ReadonlyMap<string, TensorInfo> {
  return parseGguf(bytesSource(file, readFileSync(new URL(file, folder)))).tensors;
}

function dequantised(tensor: TensorInfo): Float32Array {
  const out = new Float32Array(tensor.shape.reduce((a, b) => a * b, 1)).fill(Number.NaN);
  dequantise(tensor.dtype as StoredDtype, tensor.source.read(tensor.offset, tensor.sizeBytes), out);
  return out;
}

/** Compares bits, so that 0 and -0 differ. */
function expectSameBits(got: Float32Array, wanted: TensorInfo): void {
  const bytes = new Uint8Array(wanted.source.read(wanted.offset, wanted.sizeBytes));
  expect(new Uint32Array(got.buffer)).toEqual(new Uint32Array(bytes.buffer));
}

describe("dequantise", () => {
  it.each(STORED_DTYPES)("%s equals ggml in every bit", (dtype) => {
    const tensor = tensorsOf(`${dtype.toLowerCase()}.gguf`).get("t")!;
    expect(tensor.dtype).toBe(dtype);
    expectSameBits(dequantised(tensor), expected.get(`${dtype}.dequantised`)!);
  });

  it("rows of the real 270M equal ggml in every bit", () => {
    const tensors = tensorsOf("real-blocks.gguf");
    expect(tensors.size).toBe(4);
    for (const tensor of tensors.values()) expectSameBits(dequantised(tensor), expected.get(`real.${tensor.name}`)!);
  });

  it("tensors of 1 to 4 dimensions, aligned to 64", () => {
    for (const tensor of tensorsOf("shapes-align64.gguf").values()) {
      expectSameBits(dequantised(tensor), expected.get(`shapes.${tensor.name}`)!);
    }
  });

  it("all patterns of F16 and BF16", () => {
    const tensors = tensorsOf("f16-all-patterns.gguf");
    const f16 = dequantised(tensors.get("f16")!);
    const bf16 = dequantised(tensors.get("bf16")!);
    const patterns = new Uint16Array(
      new Uint8Array(tensors.get("f16")!.source.read(tensors.get("f16")!.offset, 131_072)).buffer,
    );
    const view = new DataView(new ArrayBuffer(4));
    let wrong = 0;
    for (let i = 0; i < 65_536; i++) {
      const pattern = patterns[i]!;
      const exponent = (pattern >> 10) & 31;
      const fraction = (pattern & 1023) / 1024;
      const size = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
      const special = exponent === 31 ? (fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN) : size;
      if (!Object.is(f16[i], pattern & 0x8000 ? -special : special)) wrong++;
      view.setUint16(2, i, true);
      if (!Object.is(bf16[i], view.getFloat32(0, true))) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("refuses bytes that do not fit the elements", () => {
    expect(() => dequantise("Q4_0", new Uint8Array(17), new Float32Array(32))).toThrow(
      "dequantise: Q4_0 must have 18 bytes for 32 elements, got 17",
    );
    expect(() => dequantise("Q4_0", new Uint8Array(9), new Float32Array(16))).toThrow(
      expect.objectContaining({ code: "ERR_SHAPE" }),
    );
  });
});
