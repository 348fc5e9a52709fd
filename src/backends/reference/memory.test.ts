import { afterEach, beforeEach, expect, test } from "vitest";
import type { Backend } from "../../backend/backend.js";
import { randomStoredWeight } from "../../backend/testing/stored-weight.js";
import { rowBytes, STORED_DTYPES } from "../../base/dtype.js";
import { seededRng } from "../../base/rng.js";
import { referenceBackend } from "./index.js";

let be: Backend;

beforeEach(async () => {
  be = await referenceBackend.create({});
});

afterEach(() => be.dispose());

test("a new tensor is zeroed; a view is the same memory from an element on", async () => {
  const tensor = be.tensor("f32", [2, 3]);
  const view = be.view(tensor, [2], 3);
  expect(Array.from(await be.read(tensor))).toEqual([0, 0, 0, 0, 0, 0]);
  be.write(view, Float32Array.of(7, 8));
  expect(Array.from(await be.read(tensor))).toEqual([0, 0, 0, 7, 8, 0]);
  be.free(view); // does nothing
  expect(Array.from(await be.read(view))).toEqual([7, 8]);
  expect(Array.from(await be.read(be.view(view, [1], 1)))).toEqual([8]);
});

test.each([
  ["a view beyond its tensor", "ERR_RANGE", () => be.view(be.tensor("f32", [4]), [3], 2)],
  ["a negative start", "ERR_RANGE", () => be.view(be.tensor("f32", [4]), [1], -1)],
  ["a fractional dimension", "ERR_RANGE", () => be.tensor("f32", [1.5])],
  ["a negative dimension", "ERR_RANGE", () => be.tensor("i32", [-1])],
  ["more than memory holds", "ERR_OUT_OF_MEMORY", () => be.tensor("f32", [2 ** 30, 2 ** 20])],
  ["too much data", "ERR_SHAPE", () => be.write(be.tensor("f32", [2]), new Float32Array(3))],
  ["data of another type", "ERR_SHAPE", () => be.write(be.tensor("f32", [2]), new Int32Array(2))],
  ["a handle of another backend", "ERR_BACKEND", () => be.write({ dtype: "f32", shape: [1] }, new Float32Array(1))],
])("%s: %s", (_, code, act) => {
  expect(act).toThrow(expect.objectContaining({ code }));
});

test("freed and disposed handles are refused", async () => {
  const tensor = be.tensor("f32", [1]);
  const view = be.view(tensor, [1]);
  be.free(tensor);
  expect(() => be.write(view, new Float32Array(1))).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
  expect(() => be.free(tensor)).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
  const other = be.tensor("f32", [1]);
  be.dispose();
  be.dispose();
  await expect(be.read(other)).rejects.toMatchObject({ code: "ERR_DISPOSED" });
  expect(() => be.tensor("f32", [1])).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
});

test("an instruction set that is not there is refused", async () => {
  await expect(referenceBackend.create({ isa: "avx2" })).rejects.toMatchObject({ code: "ERR_BACKEND_UNAVAILABLE" });
  expect(be.info()).toEqual({ name: "reference", isa: "js", threads: 1, activations: "int8" });
});

test.each(STORED_DTYPES)("a random %s weight is finite, and not the same in every row", async (dtype) => {
  const stored = randomStoredWeight(dtype, [8, 512], seededRng(3));
  expect(stored.read(0, 8 * rowBytes(dtype, 512))).toHaveLength(8 * rowBytes(dtype, 512));
  const out = be.tensor("f32", [8, 512]);
  const ids = be.tensor("i32", [8]);
  be.write(ids, Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  be.embed(out, be.weight(stored), ids, 1);
  const values = Array.from(await be.read(out));
  expect(values.every(Number.isFinite)).toBe(true);
  expect(values.some((value) => value !== 0)).toBe(true);
  expect(values.slice(0, 512)).not.toEqual(values.slice(512, 1024));
});
