import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { dequantise } from "./dequantise.js";
import { quantise, WRITTEN_DTYPES } from "./quantise.js";

/** Values over 23 powers of two, with blocks on a grid of 1/254 (full of ties) and blocks of zeros. */
function values(blocks: number): Float32Array {
  return Float32Array.from({ length: 32 * blocks }, (_, i) => {
    const block = i >> 5;
    if (block % 7 === 6) return 0;
    const uniform = (Number((BigInt(i) * 2654435761n) % 2n ** 32n) - 2 ** 31) / 2 ** 31;
    const value = uniform * 2 ** ((block % 23) - 12);
    return block % 5 === 3 ? halfToEven(value * 254) / 254 : value;
  });
}

function halfToEven(value: number): number {
  return value + 1.5 * 2 ** 52 - 1.5 * 2 ** 52;
}

describe("quantise", () => {
  // SHA-256 of what gguf 0.19.0 for Python (gguf.quants.quantize) makes of the same values.
  it.each([
    ["Q8_0", "61f30c46b91af3829018159c476bff1a0baa32bfee82693a496516ab2b11964c"],
    ["Q4_0", "1a124d1f798e6d636689c5bb8cf07a20cddc7aafd0017dfb5c32c4ad74d88413"],
    ["BF16", "8ab0da6830b8a2adda789d15e5b84284013f23f002dca8e1428ad78168f531eb"],
    ["F16", "2c8ded0018daa783b9c8e4b43bade8377760db75e472470b45ac4f9575090c53"],
  ] as const)("%s is ggml's, byte for byte", (dtype, sha256) => {
    expect(
      createHash("sha256")
        .update(quantise(dtype, values(4096)))
        .digest("hex"),
    ).toBe(sha256);
  });

  it.each(WRITTEN_DTYPES)("%s: what it holds exactly comes back", (dtype) => {
    const exact = Float32Array.from({ length: 64 }, (_, i) => ((i % 16) - 8) / 8); // one step of Q4_0
    if (dtype === "Q8_0") for (let i = 0; i < 64; i++) exact[i] = (i % 2 ? 127 : (i % 16) - 8) / 32;
    const back = new Float32Array(64);
    dequantise(dtype, quantise(dtype, exact), back);
    expect(back).toEqual(exact);
  });

  it("refuses parts of blocks and values that are not finite", () => {
    expect(() => quantise("Q8_0", new Float32Array(33))).toThrow(expect.objectContaining({ code: "ERR_SHAPE" }));
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => quantise("F32", Float32Array.of(1, bad))).toThrow(
        expect.objectContaining({ code: "ERR_INVALID_VALUE" }),
      );
    }
  });
});
