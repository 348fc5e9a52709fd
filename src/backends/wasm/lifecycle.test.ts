import { describe, expect, test } from "vitest";
import type { Backend } from "../../backend/backend.js";
import { randomStoredWeight } from "../../backend/testing/stored-weight.js";
import { seededRng } from "../../base/rng.js";
import { wasmBackend, wasmIsas } from "./index.js";
import { K_ADD } from "./layout.js";
import { Machine } from "./machine.js";
import { multipliesRightly } from "./self-check.js";

const available = await wasmBackend.available();
if (available !== true) console.warn(`SKIPPED: lifecycle of wasm backends: ${available}`);

const create = (options = {}): Promise<Backend> => wasmBackend.create({ threads: 2, ...options });

describe.skipIf(available !== true)("lifecycle", () => {
  test("options are checked", async () => {
    await expect(create({ isa: "mmx" })).rejects.toMatchObject({
      code: "ERR_BACKEND_UNAVAILABLE",
      message: `wasm: isa must be one that this runtime has (${wasmIsas().join(", ")}), got mmx`,
    });
    await expect(create({ threads: 0 })).rejects.toMatchObject({ code: "ERR_RANGE" });
    const backend = await wasmBackend.create({});
    expect(backend.info().threads).toBeGreaterThanOrEqual(1);
    expect(backend.info().activations).toBe("int8");
    backend.dispose();
  });

  test("after dispose every call says so, and dispose is idempotent", async () => {
    const backend = await create();
    const x = backend.tensor("f32", [1, 2]);
    backend.dispose();
    backend.dispose();
    const disposed = expect.objectContaining({ code: "ERR_DISPOSED" });
    expect(() => backend.tensor("f32", [1])).toThrow(disposed);
    expect(() => backend.add(x, x, x)).toThrow(disposed);
    await expect(backend.read(x)).rejects.toMatchObject({ code: "ERR_DISPOSED" });
  });

  test("a freed tensor and its views are gone, freeing a view or twice does nothing", async () => {
    const backend = await create();
    const x = backend.tensor("f32", [4]);
    const view = backend.view(x, [2], 1);
    backend.write(view, Float32Array.of(5, 6));
    backend.free(view);
    expect(Array.from(await backend.read(x))).toEqual([0, 5, 6, 0]);
    backend.free(x);
    backend.free(x);
    backend.tensor("f32", [4]); // takes the freed tensor's place
    await expect(backend.read(view)).rejects.toMatchObject({ code: "ERR_DISPOSED" });
    backend.dispose();
  });

  test("a tensor of another backend is refused", async () => {
    const [one, two] = [await create(), await create()];
    const x = one.tensor("f32", [1, 1]);
    const y = two.tensor("f32", [1, 1]);
    expect(() => one.add(x, x, y)).toThrow(expect.objectContaining({ code: "ERR_BACKEND" }));
    one.dispose();
    two.dispose();
  });

  test("a source that returns too little is an error, not a weight", async () => {
    const backend = await create();
    const stored = { name: "w", dtype: "Q8_0", shape: [16, 32], read: () => new Uint8Array(34 * 15) } as const;
    expect(() => backend.weight(stored)).toThrow(expect.objectContaining({ code: "ERR_TRUNCATED" }));
    backend.dispose();
  });

  test("what cannot be allocated is an error, and the backend goes on", async () => {
    const backend = await create();
    expect(() => backend.tensor("f32", [2 ** 20, 2 ** 13])).toThrow(
      expect.objectContaining({ code: "ERR_OUT_OF_MEMORY" }),
    );
    const x = backend.tensor("f32", [1, 2]);
    backend.write(x, Float32Array.of(1, 2));
    backend.add(x, x, x);
    expect(Array.from(await backend.read(x))).toEqual([2, 4]);
    backend.dispose();
  });

  test("memory that a weight took is taken again", async () => {
    const backend = await create({ threads: 1 });
    const addresses = [1, 2, 3].map(() => {
      const weight = backend.weight(randomStoredWeight("Q5_0", [4096, 640], seededRng(1)));
      backend.free(weight);
      return (weight as unknown as { address: number }).address;
    });
    expect(new Set(addresses.slice(1)).size).toBe(1);
    backend.dispose();
  });

  test.each([1, 3])("a kernel that traps is an error, and so is every call behind it, %i threads", async (threads) => {
    const machine = await Machine.create("simd", threads);
    const beyond = 0xffff_fff0;
    expect(() => machine.run(K_ADD, 4096, 16, [beyond, beyond, beyond])).toThrow(
      expect.objectContaining({ code: "ERR_BACKEND" }),
    );
    expect(() => machine.run(K_ADD, 0, 1, [])).toThrow(expect.objectContaining({ code: "ERR_BACKEND" }));
    machine.dispose();
  });

  test("jobs of all sizes behind each other, on more threads than there are cores: each item is computed once", async () => {
    const machine = await Machine.create("simd", 4);
    const most = 512;
    const [sums, ones] = [machine.buffer("sums", 4 * most), machine.buffer("ones", 4 * most)];
    machine.floats(sums, most).fill(0);
    machine.floats(ones, most).fill(1);
    const expected = new Float32Array(most);
    const rng = seededRng(1);
    for (let job = 0; job < 60_000; job++) {
      const items = 2 + rng.integer(most - 2);
      machine.run(K_ADD, items, 1 + rng.integer(8), [sums, sums, ones]);
      for (let i = 0; i < items; i++) expected[i]! += 1;
    }
    expect(machine.floats(sums, most).slice()).toEqual(expected);
    machine.dispose();
  });

  test.each(wasmIsas())("%s multiplies rightly", async (isa) => {
    const machine = await Machine.create(isa, 1);
    expect(multipliesRightly(machine)).toBe(true);
    machine.dispose();
  });
});
