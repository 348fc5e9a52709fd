import { afterAll, describe, expect, test } from "vitest";
import type { Backend } from "../../backend/backend.js";
import { PLAIN_ROW, type SampleRow } from "../../backend/ops/sample.js";
import type { StoredWeight } from "../../backend/tensor.js";
import { bellShapedWeight, randomStoredWeight } from "../../backend/testing/stored-weight.js";
import { type Rng, seededRng } from "../../base/rng.js";
import { nativeBackend, nativeIsas } from "./index.js";

// A screened head must choose the ids that all logits give, on the same backend: bit for bit, so ties count too.

const SEED = 424;
const [V, D] = [8192 + 5, 224]; // rows that fill no panel, columns that fill no block of activations

const available = await nativeBackend.available();
if (available !== true) console.warn(`SKIPPED: screened heads: ${available}`);

const SETTINGS: readonly Partial<SampleRow>[] = [
  { temperature: 0 },
  { temperature: 1, topK: 64, topP: 0.95 },
  { temperature: 0.7, topK: 20, minP: 0.01 },
  { temperature: 2, topK: 3 },
];

describe.skipIf(available !== true)(`a screened head, seed ${SEED}`, () => {
  const opened: Backend[] = [];
  const open = async (isa: string, threads: number) => {
    opened.push(await nativeBackend.create({ isa, threads }));
    return opened.at(-1)!;
  };
  afterAll(() => {
    for (const be of opened) be.dispose();
  });

  const isas = available === true ? nativeIsas() : [];
  test.each(isas)("%s: the ids of all logits, for any activations", { timeout: 120_000 }, async (isa) => {
    const backends = [await open(isa, 1), await open(isa, 3)];
    const rng = seededRng(SEED);
    const heads: StoredWeight[] = [
      bellShapedWeight([V, D], rng),
      bellShapedWeight([V, D], rng, 700), // logits tie
      randomStoredWeight("Q8_0", [V, D], rng), // scales of any sign, zero among them
      withScales(bellShapedWeight([V, D], rng), rng, [0x7c00, 0xfc00, 0x7e00]), // infinite, no number
      zeros(bellShapedWeight([V, D], rng)),
    ];
    const rounds = isa === "scalar" ? 1 : 4;
    for (const stored of heads) {
      const checks = backends.map((be) => checker(be, stored));
      for (let round = 0; round < rounds; round++) {
        for (const [kind, x] of Object.entries(activations(rng))) {
          for (const [s, settings] of SETTINGS.entries()) {
            const row = { ...PLAIN_ROW, ...settings, seed: SEED, index: round };
            const cap = round % 2 === 0 ? null : 5;
            const found = [];
            for (const check of checks) found.push(await check([x], [row], cap));
            for (const { screened, plain } of found) {
              expect(screened, `${stored.name}, ${kind}, settings ${s}`).toEqual(plain);
              expect(screened).toEqual(found[0]!.screened);
            }
          }
        }
      }
      const rows = Object.values(activations(rng)).slice(0, 4);
      const greedy = rows.map(() => ({ ...PLAIN_ROW, temperature: 0 }));
      const { screened, plain } = await checks[0]!(rows, greedy, null); // rows that are screened together
      expect(screened).toEqual(plain);
      const many = [...Object.values(activations(rng)), ...Object.values(activations(rng))]; // too many for a screen
      const mixed = many.map((_, i) => ({ ...PLAIN_ROW, ...SETTINGS[i % SETTINGS.length], seed: SEED, index: i }));
      for (const cap of [null, 5]) {
        const batch = await checks[1]!(many, mixed, cap);
        expect(batch.screened).toEqual(batch.plain);
      }
    }
  });
});

/** Compares chooseIds on a screened head with matmul, softCap and sample on a whole one. */
function checker(be: Backend, stored: StoredWeight) {
  const whole = be.weight(stored);
  return async (xs: readonly Float32Array[], rows: readonly SampleRow[], cap: number | null) => {
    const head = be.weight(stored, { screened: true }); // a new one: after a call that was in vain some go without
    expect(head.isScreened).toBe(true);
    const x = be.tensor("f32", [xs.length, D]);
    be.write(x, Float32Array.from(xs.flatMap((values) => [...values])));
    const out = be.tensor("i32", [xs.length]);
    be.chooseIds(out, x, head, cap, rows);
    const screened = await be.read(out);
    be.chooseIds(out, x, head, cap, rows); // maybe without screening, after a call that was in vain
    expect(await be.read(out)).toEqual(screened);
    const results = [];
    for (const weight of [whole, head]) {
      const logits = be.tensor("f32", [xs.length, V]);
      be.matmul(logits, x, weight);
      if (cap !== null) be.softCap(logits, cap);
      be.sample(out, logits, rows);
      results.push(await be.read(out));
      be.free(logits);
    }
    expect(results[1]).toEqual(results[0]); // the product of a head in two planes is that of one in one
    for (const made of [x, out, head]) be.free(made);
    return { screened, plain: results[0] };
  };
}

function activations(rng: Rng): Record<string, Float32Array> {
  const normal = () => Float32Array.from({ length: D }, () => rng.normal());
  const one = (value: number) => normal().map((x, i) => (i === 40 ? value : x));
  return {
    normal: normal(),
    "a few large": normal().map((x, i) => (i % 37 === 0 ? 30 * x : x)),
    "one large": one(500),
    zero: new Float32Array(D),
    denormal: normal().map((x) => x * 1e-41),
    huge: normal().map((x) => x * 1e37),
    "NaN in one": one(Number.NaN),
    "infinity in one": one(Number.POSITIVE_INFINITY),
  };
}

/** The same weight with some f16 scales replaced. */
function withScales(stored: StoredWeight, rng: Rng, scales: readonly number[]): StoredWeight {
  const size = (V * D * 34) / 32;
  const bytes = stored.read(0, size).slice();
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 40; i++) view.setUint16(34 * rng.integer(size / 34), scales[i % scales.length]!, true);
  return { ...stored, name: "strange scales", read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** All logits are zero. */
function zeros(stored: StoredWeight): StoredWeight {
  const bytes = new Uint8Array((V * D * 34) / 32);
  return { ...stored, name: "zeros", read: (offset, length) => bytes.subarray(offset, offset + length) };
}
