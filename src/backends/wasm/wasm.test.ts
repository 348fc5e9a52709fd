import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Activations, Backend } from "../../backend/backend.js";
import { checked } from "../../backend/checked.js";
import type { Outputs } from "../../backend/op.js";
import { TRAINING_OPS } from "../../backend/ops/index.js";
import { conformanceCases, runCase, runCaseOn } from "../../backend/testing/conformance.js";
import { INVARIANCE_CASES, rowVariance } from "../../backend/testing/row-invariance.js";
import { referenceBackend } from "../reference/index.js";
import { wasmBackend, wasmIsas } from "./index.js";
import { NARROW } from "./layout.js";
import type { WasmTensor } from "./memory.js";

const SEED = 20_251;

const available = await wasmBackend.available();
if (available !== true) console.warn(`SKIPPED: wasm backend tests: ${available}`);
const isas = available === true ? wasmIsas() : [];

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
  const open = async (activations: Activations, threads: number) => {
    const backend = checked(await wasmBackend.create({ isa, activations, threads }));
    opened.push(backend);
    return backend;
  };
  afterAll(() => {
    for (const backend of opened) backend.dispose();
  });

  test("is what runs", async () => {
    expect((await open("f32", 3)).info()).toEqual({ name: "wasm", isa, threads: 3, activations: "f32" });
  });

  // Floats are computed by the same source in all variants, and the last test here compares their bits.
  const runs = [
    ["int8", 3, INT8_CASES],
    ["f32", 1, CASES],
  ] as const;
  test.each(isa === isas[0] ? runs : runs.slice(0, 1))(
    "agrees with the reference, %s activations, %i threads",
    { timeout: 120_000 },
    async (activations, threads, cases) => {
      const backend = await open(activations, threads);
      for (const c of cases) {
        const { error, tolerance, where } = await runCase(c, backend, oracles.get(activations)!, SEED);
        expect.soft(error, where).toBeLessThanOrEqual(tolerance);
      }
    },
  );

  test.each(["f32", "int8"] as const)(
    "rows do not depend on their batch or on threads, %s",
    { timeout: 120_000 },
    async (activations) => {
      const backends = [await open(activations, 1), await open(activations, 3)];
      for (const c of INVARIANCE_CASES) {
        if (activations === "int8" && !/^(matmul|attention|scoreIds|chooseIds)/.test(c.name)) continue;
        expect.soft(await rowVariance(c, backends, SEED), c.name).toBeNull();
      }
    },
  );
});

// Equal seeds give equal weights, in every browser.
test.skipIf(isas.length === 0).each(["f32", "int8"] as const)(
  "all variants give the same bits on any number of threads, %s activations",
  { timeout: 120_000 },
  async (activations) => {
    const variants = isas.flatMap((isa) => [1, 3].map((threads) => ({ isa, threads, activations })));
    const [one, ...others] = await Promise.all(variants.map((options) => wasmBackend.create(options)));
    others.push(await withWideSums({ isa: isas[0]!, activations }));
    for (const c of CASES.filter(({ op }) => TRAINING_OPS.includes(op) || SHARED.test(op.name))) {
      const wanted = bytesOf(await runCaseOn(c, one!, SEED));
      for (const other of others) {
        expect.soft(bytesOf(await runCaseOn(c, other, SEED)).equals(wanted), c.name).toBe(true);
      }
    }
    for (const backend of [one!, ...others]) backend.dispose();
  },
);

const SHARED = /atmul|attention|rmsNorm|chooseIds/;

/** Products as on processors whose relaxed products add four at once: of 32 bits. */
async function withWideSums(options: { isa: string; activations: Activations }): Promise<Backend> {
  const backend = await wasmBackend.create({ ...options, threads: 3 });
  const { machine } = backend.tensor("f32", [1]) as WasmTensor;
  new Uint32Array(machine.memory.buffer)[NARROW / 4] = 0;
  return backend;
}

function bytesOf(outputs: Outputs): Buffer {
  return Buffer.concat(Object.values(outputs).map(({ values }) => Buffer.from(values.slice().buffer)));
}
