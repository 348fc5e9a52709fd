import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../backend/backend.js";
import type { KvDtype, RowPlan } from "../../backend/kv.js";
import type { Tensor } from "../../backend/tensor.js";
import { referenceBackend } from "./index.js";

// Values worked out by hand or taken from closed forms; the numbers of PyTorch are named where used.

let be: Backend; //     activations f32
let int8: Backend;

beforeAll(async () => {
  be = await referenceBackend.create({ activations: "f32" });
  int8 = await referenceBackend.create({ activations: "int8" });
});

afterAll(() => {
  be.dispose();
  int8.dispose();
});

function f32(shape: number[], values: number[], owner = be): Tensor {
  const tensor = owner.tensor("f32", shape);
  owner.write(tensor, Float32Array.from(values));
  return tensor;
}

function i32(shape: number[], values: number[], owner = be): Tensor {
  const tensor = owner.tensor("i32", shape);
  owner.write(tensor, Int32Array.from(values));
  return tensor;
}

async function expectClose(tensor: Tensor, values: number[], owner = be): Promise<void> {
  const got = Array.from(await owner.read(tensor));
  expect(got).toHaveLength(values.length);
  for (const [i, value] of values.entries()) {
    const error = Math.abs(got[i]! - value) / (1 + Math.abs(value));
    expect(error, `element ${i} of ${got}, wanted ${value}`).toBeLessThan(5e-7);
  }
}

function weightF32(shape: [number, number], values: number[], owner = be) {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return owner.weight({ name: "w", dtype: "F32", shape, read });
}

/** One row of Q8_0 blocks: scale 1/2 (f16 0x3800), then 32 quants. */
function weightQ8(quants: number[], owner: Backend) {
  const bytes = new Uint8Array((quants.length / 32) * 34);
  for (let start = 0; start < quants.length; start += 32) {
    const block = quants.slice(start, start + 32);
    bytes.set([0x00, 0x38, ...block.map((q) => q & 0xff)], (start / 32) * 34);
  }
  const shape = [1, quants.length] as const;
  return owner.weight({ name: "w", dtype: "Q8_0", shape, read: (o, n) => bytes.subarray(o, o + n) });
}

describe("element-wise ops", () => {
  test("add", async () => {
    const x = f32([1, 2], [1, 2]);
    be.add(x, x, f32([1, 2], [10, -2]));
    await expectClose(x, [11, 0]);
  });

  test("rmsNorm: the mean square of [3, 4] is 12.5, weights are offset from 1", async () => {
    const x = f32([1, 2], [3, 4]);
    be.rmsNorm(x, x, f32([2], [0, 1]), 1e-12);
    await expectClose(x, [3 / Math.sqrt(12.5), 8 / Math.sqrt(12.5)]);
    const zero = f32([1, 1], [2e-3]);
    be.rmsNorm(zero, zero, f32([1], [0]), 1e-6); // mean square 4e-6
    await expectClose(zero, [2 / Math.sqrt(5)]);
  });

  test("geglu: the tanh form (torch.nn.functional.gelu, approximate='tanh')", async () => {
    const out = be.tensor("f32", [1, 4]);
    be.geglu(out, f32([1, 4], [1, -1, 3, 0]), f32([1, 4], [1, 1, 2, 5]));
    await expectClose(out, [0.841192, -0.158808, 2 * 2.996363, 0]);
  });

  test("softCap", async () => {
    const x = f32([1, 3], [30, -30, 1e9]);
    be.softCap(x, 30);
    await expectClose(x, [30 * Math.tanh(1), -30 * Math.tanh(1), 30]);
  });

  test("rope turns the halves of a head by position / factor · theta^(-2i/H)", async () => {
    const x = f32([2, 4], [1, 1, 0, 0, 1, 2, 3, 4]);
    be.rope(x, i32([2], [6, 0]), { headDim: 4, theta: 100, scalingFactor: 2 });
    await expectClose(x, [Math.cos(3), Math.cos(0.3), Math.sin(3), Math.sin(0.3), 1, 2, 3, 4]);
  });

  test("gatherRows", async () => {
    const out = f32([3, 2], [9, 9, 9, 9, 9, 9]);
    be.gatherRows(out, f32([2, 2], [1, 2, 3, 4]), i32([3], [1, -1, 0]));
    await expectClose(out, [3, 4, 0, 0, 1, 2]);
  });
});

describe("ops with weights", () => {
  test("embed scales rows; an id outside is a row of zeros", async () => {
    const out = f32([3, 2], [9, 9, 9, 9, 9, 9]);
    be.embed(out, weightF32([2, 2], [1, 2, 3, 4]), i32([3], [1, 2, 0]), 10);
    await expectClose(out, [30, 40, 0, 0, 10, 20]);
  });

  test("matmul: weights are [out, in]", async () => {
    const out = be.tensor("f32", [2, 3]);
    be.matmul(out, f32([2, 2], [1, 2, 10, 20]), weightF32([3, 2], [1, 0, 0, 1, 1, -1]));
    await expectClose(out, [1, 2, -1, 10, 20, -10]);
  });

  test("matmul int8 rounds half to even", async () => {
    // max|x| = 127 makes the scale 1. 0.5, 1.5, 2.5, -3.5 become 0, 2, 2, -4; weights are q / 2.
    const x = [127, 0.5, 1.5, 2.5, -3.5, ...Array<number>(27).fill(0)];
    const quants = [2, 100, 10, 20, 2, ...Array<number>(27).fill(50)];
    const out = int8.tensor("f32", [1, 1]);
    int8.matmul(out, f32([1, 32], x, int8), weightQ8(quants, int8));
    await expectClose(out, [127 + 10 + 20 - 4], int8);
    const exact = be.tensor("f32", [1, 1]);
    be.matmul(exact, f32([1, 32], x), weightQ8(quants, be));
    await expectClose(exact, [127 + 25 + 7.5 + 25 - 3.5]);
  });

  test("matmul int8: 32 activations share a scale", async () => {
    const row = Array<number>(64).fill(0);
    const x = row.with(0, 127).with(31, 0.4).with(32, 0.4); // 0.4 is lost beside 127 only
    const quants = row.with(0, 2).with(31, 100).with(32, 100); // halves
    const out = int8.tensor("f32", [1, 1]);
    int8.matmul(out, f32([1, 64], x, int8), weightQ8(quants, int8));
    await expectClose(out, [127 + 20], int8);
  });

  test("matmul int8 leaves activations alone where the weight is a float", async () => {
    const out = int8.tensor("f32", [1, 1]);
    int8.matmul(out, f32([1, 2], [127, 0.5], int8), weightF32([1, 2], [0, 1], int8));
    await expectClose(out, [0.5], int8);
  });

  test("matmul int8: a block too small for its reciprocal counts as zero", async () => {
    const out = int8.tensor("f32", [1, 1]);
    const x = f32([1, 32], Array<number>(32).fill(1e-38), int8);
    int8.matmul(out, x, weightQ8(Array<number>(32).fill(127), int8));
    expect(Array.from(await int8.read(out))).toEqual([0]);
  });

  test("loraDelta adds scale · B A x", async () => {
    const out = f32([1, 2], [100, 200]);
    be.loraDelta(out, f32([1, 2], [1, 2]), f32([1, 2], [3, 4]), f32([2, 1], [5, 6]), 2);
    await expectClose(out, [100 + 2 * 5 * 11, 200 + 2 * 6 * 11]);
  });
});

describe("attention over the paged cache", () => {
  const width = 1; // H

  function plan(positions: number[], sequences: number[], pages: number[][]): RowPlan {
    return {
      positions: i32([positions.length], positions),
      sequences: i32([sequences.length], sequences),
      pageTables: [i32([pages.length, pages[0]!.length], pages.flat())],
    };
  }

  function filled(k: number[], v: number[], pages: number[], dtype: KvDtype = "f32", heads = 1) {
    const cache = be.kvCache({ dtype, kvHeads: heads, headDim: width, layerGroups: [0], groupPages: [4] });
    const rows = k.length / heads;
    const positions = Array.from({ length: rows }, (_, i) => i);
    const writing = plan(positions, Array<number>(rows).fill(0), [pages]);
    be.writeKv(cache, 0, f32([rows, heads], k), f32([rows, heads], v), writing);
    return cache;
  }

  const plain = { scale: 1, softCap: null, window: null };

  test("scores ln 3 and 0 weigh values 3 to 1", async () => {
    const cache = filled([Math.log(3), 0], [8, 4], [2]);
    const out = be.tensor("f32", [1, 1]);
    be.attention(out, f32([1, 1], [1]), cache, 0, plan([1], [0], [[2]]), plain);
    await expectClose(out, [7]);
    be.attention(out, f32([1, 1], [2]), cache, 0, plan([1], [0], [[2]]), { ...plain, scale: 0.5 });
    await expectClose(out, [7]);
  });

  test("a soft cap bounds the score before the softmax", async () => {
    const cache = filled([1e6, 0], [1, 0], [0]);
    const out = be.tensor("f32", [1, 1]);
    be.attention(out, f32([1, 1], [1]), cache, 0, plan([1], [0], [[0]]), { ...plain, softCap: Math.log(3) });
    await expectClose(out, [3 / 4]);
  });

  test("windows, causality and missing pages decide which keys are seen", async () => {
    const values = Array.from({ length: 20 }, (_, i) => i); // keys are equal: the result is the mean of what is seen
    const cache = filled(Array<number>(20).fill(0), values, [3, 1]);
    const out = be.tensor("f32", [3, 1]);
    const q = f32([3, 1], [1, 1, 1]);
    be.attention(out, q, cache, 0, plan([0, 5, 19], [0, 0, 0], [[3, 1]]), plain);
    await expectClose(out, [0, 2.5, 9.5]);
    be.attention(out, q, cache, 0, plan([0, 5, 19], [0, 0, 0], [[3, 1]]), { ...plain, window: 3 });
    await expectClose(out, [0, 4, 18]);
    be.attention(out, q, cache, 0, plan([0, 5, 19], [0, 0, 0], [[-1, 1]]), plain);
    await expectClose(out, [0, 0, 17.5]); // rows that see nothing are zero
  });

  test("query head n reads key/value head n // (N / K)", async () => {
    const cache = filled([0, 0], [5, 7], [0], "f32", 2);
    const out = be.tensor("f32", [1, 4]);
    be.attention(out, f32([1, 4], [1, 1, 1, 1]), cache, 0, plan([0], [0], [[0]]), plain);
    await expectClose(out, [5, 5, 7, 7]);
  });

  test("bf16 rounds ties to even; int8 keeps 127 steps of a row's largest value", async () => {
    const out = be.tensor("f32", [1, 1]);
    const seen = async (dtype: KvDtype, value: number) => {
      be.attention(out, f32([1, 1], [1]), filled([0], [value], [0], dtype), 0, plan([0], [0], [[0]]), plain);
      return (await be.read(out))[0];
    };
    expect(await seen("bf16", 1 + 2 ** -8)).toBe(1);
    expect(await seen("bf16", 1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
    expect(await seen("f32", 1 + 2 ** -20)).toBe(1 + 2 ** -20);
    expect(await seen("int8", -254)).toBe(-254);
  });
});

describe("probabilities", () => {
  test("logProbs of weights 1, 2, 5", async () => {
    const logits = f32([2, 3], [0, Math.log(2), Math.log(5), 1, 1, 1]);
    const out = {
      logProbs: be.tensor("f32", [2]),
      topIds: be.tensor("i32", [2, 2]),
      topLogProbs: be.tensor("f32", [2, 2]),
    };
    be.logProbs(out, logits, i32([2], [0, 3]));
    const [first, outside] = await be.read(out.logProbs);
    expect(first).toBeCloseTo(Math.log(1 / 8), 6);
    expect(outside).toBeNaN();
    expect(Array.from(await be.read(out.topIds))).toEqual([2, 1, 0, 1]); // equal: the lower id first
    await expectClose(out.topLogProbs, [Math.log(5 / 8), Math.log(1 / 4), Math.log(1 / 3), Math.log(1 / 3)]);
  });
});
