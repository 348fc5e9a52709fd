import { afterAll, describe, expect, test } from "vitest";
import type { Backend } from "../../backend/backend.js";
import type { SampleRow } from "../../backend/ops/sample.js";
import { type Rng, seededRng } from "../../base/rng.js";
import { referenceBackend } from "../reference/index.js";
import { nativeBackend } from "./index.js";

// What the conformance cases of sample leave out: infinite logits, settings at their limits, and vocabularies around the
// native side's blocks of 256 logits.

const SEED = 815;

const available = await nativeBackend.available();
if (available !== true) console.warn(`SKIPPED: native sampling tests: ${available}`);

describe.skipIf(available !== true)(`native sampling, seed ${SEED}`, async () => {
  const opened: Backend[] = [];
  const open = async (factory: typeof nativeBackend) => {
    opened.push(await factory.create(factory === nativeBackend ? { threads: 2 } : {}));
    return opened.at(-1)!;
  };
  afterAll(() => {
    for (const backend of opened) backend.dispose();
  });

  test("any logits and settings: an allowed id above -infinity, or -1; the logits stay as they were", async () => {
    const be = await open(nativeBackend);
    const rng = seededRng(SEED);
    for (let round = 0; round < 1500; round++) {
      const V = pick(rng, [1, 2, 31, 32, 255, 256, 257, 700]);
      const finite = [0, -0, 1, 3e38, -3e38, 1e-40];
      const some = rng.uniform() < 0.5 ? finite : [...finite, Number.NaN, Infinity, -Infinity, -Infinity];
      const values = Float32Array.from({ length: V }, () => (rng.uniform() < 0.5 ? rng.normal() : pick(rng, some)));
      const row = randomRow(rng, V);
      const { id, after } = await sampleOne(be, values, row);
      expect(after).toEqual(values);
      const isAllowed = (i: number) => row.mask === null || ((row.mask[i >> 5]! >>> (i & 31)) & 1) === 1;
      const isPossible = (i: number) => values[i]! > -Infinity && isAllowed(i);
      const isChanged = (i: number) => row.biasIds.includes(i) || row.penaltyIds.includes(i); // perhaps to -infinity
      if (id === -1) expect(values.findIndex((_, i) => isPossible(i) && !isChanged(i))).toBe(-1);
      else expect(isPossible(id), JSON.stringify({ V, id, value: values[id], row })).toBe(true);
    }
  });

  test("draws from everything, as the reference: steep, flat and tied distributions, deep into their tails", async () => {
    const native = await open(nativeBackend);
    const reference = await open(referenceBackend);
    const rng = seededRng(SEED + 1);
    for (let round = 0; round < 120; round++) {
      const V = pick(rng, [300, 2048, 5000]);
      const steepness = pick(rng, [0.01, 1, 5, 20]);
      const isTied = rng.uniform() < 0.3;
      const values = Float32Array.from({ length: V }, () => {
        const logit = steepness * rng.normal();
        return isTied ? Math.round(logit) : logit;
      });
      const row = { ...randomRow(rng, V), temperature: pick(rng, [0.2, 1, 3, 100]) };
      const got = await sampleOne(native, values, row);
      const expected = await sampleOne(reference, values, row);
      expect(got.id, JSON.stringify({ round, V, steepness, isTied, row })).toBe(expected.id);
    }
  });
});

async function sampleOne(be: Backend, values: Float32Array, row: SampleRow) {
  const logits = be.tensor("f32", [1, values.length]);
  const out = be.tensor("i32", [1]);
  be.write(logits, values);
  be.sample(out, logits, [row]);
  const result = { id: (await be.read(out))[0]!, after: await be.read(logits) };
  be.free(logits);
  be.free(out);
  return result;
}

function randomRow(rng: Rng, V: number): SampleRow {
  const mask = Uint32Array.from({ length: Math.ceil(V / 32) }, () => rng.integer(2 ** 32));
  return {
    mask: rng.uniform() < 0.3 ? mask : null,
    biasIds: Int32Array.of(rng.integer(V), -1, V),
    biasValues: Float32Array.of(rng.normal(), 1, 1),
    penaltyIds: Int32Array.of(rng.integer(V), 2 ** 31 - 1),
    penaltyCounts: Int32Array.of(rng.integer(3), 1),
    repetitionPenalty: pick(rng, [1, 1.2, 1e-3, 1e3]),
    frequencyPenalty: pick(rng, [0, 0.5, -100]),
    presencePenalty: pick(rng, [0, 0.5, 100]),
    temperature: pick(rng, [0, 1, 0.7, 100, 1e-6, 5e-324]),
    topK: pick(rng, [0, 0, 1, 40, 2 ** 31 - 1]),
    topP: pick(rng, [1, 1, 0.9, 0.5, 0, 1e-9]),
    minP: pick(rng, [0, 0, 0.05, 1]),
    seed: pick(rng, [0, 42, Number.MAX_SAFE_INTEGER]),
    index: rng.integer(1000),
  };
}

function pick<Item>(rng: Rng, items: readonly Item[]): Item {
  return items[rng.integer(items.length)]!;
}
