import {
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Backend } from "../../backend/backend.js";
import type { StoredWeight } from "../../backend/tensor.js";
import { randomStoredWeight } from "../../backend/testing/stored-weight.js";
import { rowBytes, STORED_DTYPES, type StoredDtype } from "../../base/dtype.js";
import { GemmaError } from "../../base/errors.js";
import { seededRng } from "../../base/rng.js";
import { nativeBackend } from "./index.js";

const available = await nativeBackend.available();
if (available !== true) console.warn(`SKIPPED: weights packed from files: ${available}`);

const SHAPE = [1_003, 512] as const; // several slices, the last panel not full
const OFFSET = 37;
const folder = mkdtempSync(join(tmpdir(), "gemma-weights-"));
const descriptors: number[] = [];
const backends: Backend[] = [];

afterAll(() => {
  for (const backend of backends) backend.dispose();
  for (const descriptor of descriptors) closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

async function open(threads = 2): Promise<Backend> {
  const backend = await nativeBackend.create({ threads });
  backends.push(backend);
  return backend;
}

/** A weight at an odd place of a file, and the same from memory. */
function storedInFile(dtype: StoredDtype, shape: readonly [number, number] = SHAPE) {
  const inMemory = randomStoredWeight(dtype, shape, seededRng(3));
  const size = shape[0] * rowBytes(dtype, shape[1]);
  const path = join(folder, `weight-${descriptors.length}`);
  writeFileSync(path, Buffer.concat([Buffer.alloc(OFFSET, 1), inMemory.read(0, size), Buffer.alloc(5, 2)]));
  const descriptor = openSync(path, "r+");
  const inode = fstatSync(descriptor).ino;
  descriptors.push(descriptor);
  const read = (offset: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    if (readSync(descriptor, bytes, 0, length, OFFSET + offset) === length) return bytes;
    throw new GemmaError("ERR_TRUNCATED", `${path} has ended`);
  };
  const file = { descriptor, inode, fileSize: OFFSET + size + 5, offset: OFFSET };
  return { path, inMemory, inFile: { ...inMemory, read, file } };
}

/** What a weight is: its rows, and its product with an x. */
async function contents(be: Backend, stored: StoredWeight, options = {}, wait = true): Promise<Buffer> {
  const weight = be.weight(stored, options);
  if (wait) await be.packed(weight);
  const [rows, width] = stored.shape;
  const x = be.tensor("f32", [2, width]);
  be.write(
    x,
    Float32Array.from({ length: 2 * width }, (_, i) => Math.sin(i)),
  );
  const out = be.tensor("f32", [2, rows]);
  be.matmul(out, x, weight);
  const ids = be.tensor("i32", [rows]);
  be.write(
    ids,
    Int32Array.from({ length: rows }, (_, i) => i),
  );
  const values = be.tensor("f32", [rows, width]);
  be.embed(values, weight, ids, 1);
  const bytes = [await be.read(out), await be.read(values)].map((read) => Buffer.from(read.buffer));
  for (const handle of [weight, x, out, ids, values]) be.free(handle);
  return Buffer.concat(bytes);
}

describe.skipIf(available !== true)("a weight packed from a file", () => {
  test.each(STORED_DTYPES)("is the one packed from slices, bit for bit: %s", async (dtype) => {
    for (const threads of [1, 3]) {
      const be = await open(threads);
      const { inMemory, inFile } = storedInFile(dtype);
      const inSlices = await contents(be, inMemory);
      expect((await contents(be, inFile)).equals(inSlices)).toBe(true);
      expect((await contents(be, inFile, {}, false)).equals(inSlices), "used at once").toBe(true);
      expect((await contents(be, inFile, { screened: true })).equals(inSlices), "screened").toBe(true);
    }
  });

  test("many are packed at a time, and each can be freed before", async () => {
    const be = await open();
    const { inMemory, inFile } = storedInFile("Q4_0", [4_096, 256]);
    const weights = Array.from({ length: 40 }, () => be.weight(inFile));
    for (const [i, weight] of weights.entries()) if (i % 2 === 0) be.free(weight);
    await be.packed(weights[39]!);
    expect((await contents(be, inFile)).equals(await contents(be, inMemory))).toBe(true);
    await expect(be.packed(weights[0]!)).rejects.toMatchObject({ code: "ERR_DISPOSED" });
  });

  test("a backend is disposed of while it packs", async () => {
    const be = await open();
    const { inFile } = storedInFile("Q8_0", [4_096, 512]);
    const weights = Array.from({ length: 20 }, () => be.weight(inFile));
    be.dispose();
    await expect(be.packed(weights[19]!)).rejects.toMatchObject({ code: "ERR_DISPOSED" });
  });

  test("a file that is cut short is an error, not a weight", async () => {
    const be = await open();
    const { inFile } = storedInFile("Q8_0");
    ftruncateSync(inFile.file.descriptor, inFile.file.fileSize - 100);
    const weight = be.weight(inFile);
    const x = be.tensor("f32", [1, SHAPE[1]]);
    const out = be.tensor("f32", [1, SHAPE[0]]);
    expect(() => be.matmul(out, x, weight)).toThrow(expect.objectContaining({ code: "ERR_IO" }));
    for (let time = 0; time < 2; time++) {
      await expect(be.packed(weight)).rejects.toMatchObject({ code: "ERR_TRUNCATED" });
    }
    be.free(weight);
  });

  test("a descriptor of another file, of a device, of none, one that cannot be read: its source is read", async () => {
    const be = await open();
    const { path, inMemory, inFile } = storedInFile("Q8_0");
    const inSlices = await contents(be, inMemory);
    copyFileSync(path, `${path}.copy`);
    const device = openSync("/dev/zero", "r");
    const copy = openSync(`${path}.copy`, "r"); // as large, but another file
    const writeOnly = openSync(path, "a"); // fails in the thread that reads
    descriptors.push(device, copy, writeOnly);
    const { file } = inFile;
    const wrongs = [device, copy, writeOnly, 2 ** 20].map((descriptor) => ({ descriptor }));
    for (const wrong of [{ fileSize: file.fileSize + 1 }, ...wrongs]) {
      const stored = { ...inFile, file: { ...file, ...wrong } };
      expect((await contents(be, stored)).equals(inSlices), JSON.stringify(wrong)).toBe(true);
    }
  });
});
