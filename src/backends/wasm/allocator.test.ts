import { expect, test } from "vitest";
import { seededRng } from "../../base/rng.js";
import { Allocator } from "./allocator.js";

const LIMIT = 64 * 65536;
const make = () => new Allocator(new WebAssembly.Memory({ initial: 1 }), 4096, LIMIT);

test("ranges never overlap, and freed ones are taken again", () => {
  const allocator = make();
  const rng = seededRng(7);
  const live = new Map<number, number>();
  for (let i = 0; i < 3000; i++) {
    if (live.size > 40 || (live.size > 0 && rng.uniform() < 0.45)) {
      const start = [...live.keys()][rng.integer(live.size)]!;
      allocator.free(start);
      live.delete(start);
      continue;
    }
    const size = 1 + rng.integer(20_000);
    const start = allocator.allocate(size);
    expect(start % 64).toBe(0);
    expect(start).toBeGreaterThanOrEqual(4096);
    for (const [other, length] of live) expect(start + size <= other || other + length <= start).toBe(true);
    live.set(start, size);
  }
  for (const start of live.keys()) allocator.free(start);
  expect(allocator.usedBytes).toBe(0);
  expect(allocator.allocate(1_000_000)).toBe(4096); // all holes have joined
});

test("beyond the limit there is an error with the numbers, and what is there can still be used", () => {
  const allocator = make();
  const first = allocator.allocate(1 << 20);
  expect(() => allocator.allocate(LIMIT)).toThrow(
    expect.objectContaining({
      code: "ERR_OUT_OF_MEMORY",
      message: "wasm: 4.0 MiB must fit into memory; of 4.0 MiB at most 1.0 MiB are in use, 0.0 MiB in holes",
    }),
  );
  allocator.free(first);
  expect(allocator.allocate(3 << 20)).toBe(first);
});

test("what was not allocated cannot be freed", () => {
  const allocator = make();
  const start = allocator.allocate(10);
  allocator.free(start);
  expect(() => allocator.free(start)).toThrow(expect.objectContaining({ code: "ERR_BACKEND" }));
});
