import { expect, it } from "vitest";
import { referenceBackend } from "../../backends/reference/index.js";
import { Pool } from "./pool.js";

const be = await referenceBackend.create({ activations: "f32" });

/** A step that needs a tensor of each width for so many rows, all at once. */
function step(pool: Pool, rows: number): void {
  const taken = [640, 1024, 2048].map((width) => pool.take([rows, width]));
  for (const tensor of taken) pool.giveBack(tensor);
  pool.endStep();
}

it("a step of fewer rows uses the memory of a larger one, and this finds it again", () => {
  const pool = new Pool(be);
  step(pool, 64);
  const bytes = pool.sizeBytes;
  step(pool, 23);
  expect(pool.sizeBytes).toBe(bytes);
  step(pool, 64);
  expect(pool.sizeBytes).toBe(bytes);
});

it("what a step of more rows makes replaces what was too small", () => {
  const pool = new Pool(be);
  step(pool, 33);
  const taken = [640, 1024, 2048].map((width) => pool.take([64, width]));
  expect(pool.sizeBytes).toBeLessThan(1.1 * 4 * 64 * (640 + 1024 + 2048));
  for (const tensor of taken) pool.giveBack(tensor);
});

it("a small tensor takes no large block", () => {
  const pool = new Pool(be);
  pool.giveBack(pool.take([64, 2048]));
  pool.giveBack(pool.take([64, 64]));
  expect(pool.sizeBytes).toBe(4 * (64 * 2048 + 64 * 64));
  pool.dispose();
  expect(pool.sizeBytes).toBe(0);
});
