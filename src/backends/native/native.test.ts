import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Activations, Backend } from "../../backend/backend.js";
import { checked } from "../../backend/checked.js";
import type { Outputs } from "../../backend/op.js";
import { TRAINING_OPS } from "../../backend/ops/index.js";
import { CaseTensors } from "../../backend/testing/case-tensors.js";
import { conformanceCases, runCase, runCaseOn } from "../../backend/testing/conformance.js";
import { currentRows, makePlan } from "../../backend/testing/ragged-step.js";
import { INVARIANCE_CASES, rowVariance } from "../../backend/testing/row-invariance.js";
import { referenceBackend } from "../reference/index.js";
import { nativeBackend, nativeIsas } from "./index.js";

const SEED = 20_251;

const available = await nativeBackend.available();
if (available !== true) console.warn(`SKIPPED: native backend tests: ${available}`);
const isas = available === true ? nativeIsas() : [];

const oracles = new Map<Activations, Backend>();

beforeAll(async () => {
  for (const activations of ["int8", "f32"] as const) {
    oracles.set(activations, await referenceBackend.create({ activations }));
  }
});

afterAll(() => {
  for (const oracle of oracles.values()) oracle.dispose();
});

/** Ops that do not read `activations` run once. */
const CASES = conformanceCases();
const INT8_CASES = CASES.filter((c) => c.op.tolerance.int8 !== undefined);

describe.each(isas)("%s", (isa) => {
  const opened: Backend[] = [];
  const open = async (activations: Activations, threads = 2) => {
    const backend = checked(await nativeBackend.create({ isa, activations, threads }));
    opened.push(backend);
    return backend;
  };
  afterAll(() => {
    for (const backend of opened) backend.dispose();
  });

  test("is what runs", async () => {
    expect((await open("f32")).info()).toEqual({ name: "native", isa, threads: 2, activations: "f32" });
  });

  test.each([
    ["f32", CASES],
    ["int8", INT8_CASES],
  ] as const)("agrees with the reference, %s activations", { timeout: 120_000 }, async (activations, cases) => {
    const backend = await open(activations);
    for (const c of cases) {
      const { error, tolerance, where } = await runCase(c, backend, oracles.get(activations)!, SEED);
      expect.soft(error, where).toBeLessThanOrEqual(tolerance);
    }
  });

  // bf16 with int8 activations and heads of 64: the bf16 dot units, where there are any.
  const CACHES = [
    { activations: "f32", dtype: "f32", H: 8 },
    { activations: "int8", dtype: "bf16", H: 64 },
  ] as const;

  test.each(CACHES)("attention to a query that is no number is no number, in that row alone, %j", async (c) => {
    const be = await open(c.activations);
    const tensors = new CaseTensors(be);
    const table = { pages: Int32Array.of(0, 1), width: 2 };
    const plan = makePlan(tensors, currentRows([{ past: 0, now: 20 }]), [table]);
    const cache = be.kvCache({ dtype: c.dtype, kvHeads: 1, headDim: c.H, layerGroups: [0], groupPages: [2] });
    const ones = () => tensors.input([20, c.H], new Float32Array(20 * c.H).fill(1));
    be.writeKv(cache, 0, ones(), ones(), plan);
    const out = tensors.output("f32", [20, c.H]);
    const q = Float32Array.from({ length: 20 * c.H }, (_, i) => (i === c.H || i === 18 * c.H ? Number.NaN : 1));
    be.attention(out, tensors.input([20, c.H], q), cache, 0, plan, { scale: 1, softCap: null, window: null });
    for (const [i, value] of (await tensors.read(out)).entries()) {
      const row = Math.floor(i / c.H);
      if (row === 1 || row === 18) expect(value, `row ${row}`).toBeNaN();
      else expect(value, `row ${row}`).toBeCloseTo(1, 6);
    }
  });

  test.each([
    { window: null, broken: 18, seenBy: [18, 19] },
    { window: null, broken: 3, seenBy: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19] },
    { window: 4, broken: 13, seenBy: [13, 14, 15, 16] },
    { window: 1, broken: 17, seenBy: [17] },
  ])("attention: values that are no numbers reach only the rows that see them, %j", async (c) => {
    const affected = new Set<number>(c.seenBy);
    for (const { activations, dtype, H } of CACHES) {
      const be = await open(activations);
      const tensors = new CaseTensors(be);
      const plan = makePlan(tensors, currentRows([{ past: 0, now: 20 }]), [{ pages: Int32Array.of(0, 1), width: 2 }]);
      for (const [heads, wrong] of [1, 4].flatMap((n) => [
        [n, Number.NaN] as const,
        [n, Number.POSITIVE_INFINITY] as const,
      ])) {
        const cache = be.kvCache({ dtype, kvHeads: 1, headDim: H, layerGroups: [0], groupPages: [2] });
        const ones = (count: number) => new Float32Array(count).fill(1);
        const values = ones(20 * H).fill(wrong, c.broken * H, (c.broken + 1) * H);
        be.writeKv(cache, 0, tensors.input([20, H], ones(20 * H)), tensors.input([20, H], values), plan);
        const shape = [20, heads * H];
        const out = tensors.output("f32", shape);
        const q = tensors.input(shape, ones(20 * heads * H));
        be.attention(out, q, cache, 0, plan, { scale: 1, softCap: null, window: c.window });
        for (const [i, value] of (await tensors.read(out)).entries()) {
          const row = Math.floor(i / (heads * H));
          if (affected.has(row)) expect(Number.isFinite(value), `row ${row}`).toBe(false);
          else expect(value, `row ${row}`).toBeCloseTo(1, 6);
        }
      }
    }
  });

  test.each(["f32", "int8"] as const)("rows do not depend on their batch or on threads, %s", async (activations) => {
    const backends = [await open(activations), await open(activations, 1), await open(activations, 3)];
    for (const c of INVARIANCE_CASES) {
      if (activations === "int8" && !/^(matmul|attention|scoreIds|chooseIds)/.test(c.name)) continue;
      expect.soft(await rowVariance(c, backends, SEED), c.name).toBeNull();
    }
  });
});

// Equal seeds give equal weights.
test.skipIf(available !== true).each(["f32", "int8"] as const)(
  "operations of training give the same bits on any number of threads, %s activations",
  { timeout: 120_000 },
  async (activations) => {
    const [one, ...others] = await Promise.all(
      [1, 2, 3].map((threads) => nativeBackend.create({ activations, threads })),
    );
    for (const c of CASES.filter(({ op }) => TRAINING_OPS.includes(op))) {
      const wanted = bytesOf(await runCaseOn(c, one!, SEED));
      for (const other of others)
        expect.soft(bytesOf(await runCaseOn(c, other, SEED)).equals(wanted), c.name).toBe(true);
    }
    for (const backend of [one!, ...others]) backend.dispose();
  },
);

function bytesOf(outputs: Outputs): Buffer {
  return Buffer.concat(Object.values(outputs).map(({ values }) => Buffer.from(values.slice().buffer)));
}
