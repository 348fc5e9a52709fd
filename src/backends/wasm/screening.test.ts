import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Backend } from "../../backend/backend.js";
import { PLAIN_ROW, type SampleRow } from "../../backend/ops/sample.js";
import { bellShapedWeight } from "../../backend/testing/stored-weight.js";
import { seededRng } from "../../base/rng.js";
import { wasmBackend } from "./index.js";
import { K_MATMUL, K_REFINE, K_SOME_PANELS } from "./layout.js";
import { Machine } from "./machine.js";

// That ids are right is the conformance suite's to show (chooseIds): here it is how little is computed for them.

const available = await wasmBackend.available();
if (available !== true) console.warn(`SKIPPED: screening on wasm: ${available}`);

const [V, D] = [8192, 640];
const GREEDY: SampleRow = { ...PLAIN_ROW, temperature: 0 };

describe.skipIf(available !== true)("a screened head on wasm", () => {
  let be: Backend;
  const run = vi.spyOn(Machine.prototype, "run");
  beforeEach(async () => {
    be = await wasmBackend.create({ activations: "int8", threads: 1 });
  });
  afterEach(() => {
    be.dispose();
    run.mockClear();
  });

  const head = (distinct?: number) => be.weight(bellShapedWeight([V, D], seededRng(3), distinct), { screened: true });

  /** Panels of which exact logits were computed since the last look, and whether the whole head was multiplied. */
  function work() {
    const calls = run.mock.calls.splice(0);
    const panels = calls.filter(([kernel]) => kernel === K_SOME_PANELS).reduce((sum, [, items]) => sum + items, 0);
    const ran = (wanted: number) => calls.some(([kernel]) => kernel === wanted);
    return { panels, isScreened: ran(K_REFINE), isWhole: ran(K_MATMUL) };
  }

  /** x that looks like row `id` of the table: its logit stands out. */
  function lookingFor(table: ReturnType<typeof head>, id: number) {
    const [x, ids] = [be.tensor("f32", [1, D]), be.tensor("i32", [1])];
    be.write(ids, Int32Array.of(id));
    be.embed(x, table, ids, 1);
    return x;
  }

  async function choose(table: ReturnType<typeof head>, x: ReturnType<typeof lookingFor>, cap: number | null = null) {
    const out = be.tensor("i32", [1]);
    work();
    be.chooseIds(out, x, table, cap, [GREEDY]);
    return { id: (await be.read(out))[0], ...work() };
  }

  test.each([null, 30])("leaves nearly all panels out where a logit stands out (soft cap %s)", async (cap) => {
    const table = head();
    for (const id of [5, 4097, V - 1]) {
      const found = await choose(table, lookingFor(table, id), cap);
      expect(found).toMatchObject({ id, isScreened: true, isWhole: false });
      expect(found.panels).toBeLessThan(V / 16 / 20);
    }
  });

  test("goes without for 64 calls where none does", async () => {
    const table = head(1);
    const x = lookingFor(table, 0);
    expect(await choose(table, x)).toMatchObject({ id: 0, isScreened: true });
    for (let call = 0; call < 64; call++) {
      expect(await choose(table, x)).toMatchObject({ id: 0, isScreened: false, isWhole: true });
    }
    expect(await choose(table, x)).toMatchObject({ isScreened: true });
  });

  test.each([1e33, Number.NaN])("multiplies all for x of %s", async (value) => {
    const table = head();
    const x = be.tensor("f32", [1, D]);
    be.write(x, new Float32Array(D).fill(value));
    expect(await choose(table, x)).toMatchObject({ isScreened: false, isWhole: true });
  });

  test("multiplies all where a scale is infinite", async () => {
    const stored = bellShapedWeight([V, D], seededRng(3));
    const read = (offset: number, length: number) => {
      const bytes = stored.read(offset, length).slice();
      if (offset === 0) bytes.set([0x00, 0x7c]); // the first scale
      return bytes;
    };
    const table = be.weight({ ...stored, read }, { screened: true });
    const x = be.tensor("f32", [1, D]);
    be.write(x, new Float32Array(D).fill(1));
    expect(await choose(table, x)).toMatchObject({ isScreened: false, isWhole: true });
  });

  test("f32 activations have no split head", async () => {
    const exact = await wasmBackend.create({ activations: "f32", threads: 1 });
    expect(exact.weight(bellShapedWeight([64, 64], seededRng(1)), { screened: true }).isScreened).toBe(false);
    exact.dispose();
  });
});
