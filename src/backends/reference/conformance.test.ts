import { beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../backend/backend.js";
import type { Tensor } from "../../backend/tensor.js";
import { conformanceCases, runCase, runCaseOn } from "../../backend/testing/conformance.js";
import { INVARIANCE_CASES, rowVariance } from "../../backend/testing/row-invariance.js";
import { referenceBackend } from "./index.js";
import type { ReferenceTensor } from "./memory.js";

// The suite that every other backend must pass, on the reference itself: it must run, and it must catch mistakes.

const SEED = 20_251;
/** Parts of the names of cases with targets outside of rows or vocabulary: NaN by contract. */
const TARGETS_OUTSIDE = ["[-1,100,99]", '"R":0,"targets":[[0,0]]', "[-1,5]"];

let reference: Backend;
let int8: Backend;

beforeAll(async () => {
  reference = await referenceBackend.create({ activations: "f32" });
  int8 = await referenceBackend.create({ activations: "int8" });
});

test("every case runs and overwrites all of its outputs", { timeout: 240_000 }, async () => {
  for (const c of conformanceCases()) {
    const outputs = Object.entries(await runCaseOn(c, reference, SEED));
    const unwritten = outputs.some(([name, { values }]) => {
      if (name === "logits") return false; // an input that must stay as it is; in some cases it has NaN
      return values instanceof Int32Array ? values.includes(-77) : values.includes(Number.NaN);
    });
    expect(unwritten, c.name).toBe(TARGETS_OUTSIDE.some((targets) => c.name.includes(targets)));
  }
});

describe("rows are computed alone", () => {
  test.each(INVARIANCE_CASES.map((c) => [c.name, c] as const))("%s", async (_, c) => {
    expect(await rowVariance(c, [reference], SEED)).toBeNull();
    if (c.name.startsWith("matmul")) expect(await rowVariance(c, [int8], SEED)).toBeNull();
  });

  test("a sum that depends on the number of rows is caught", async () => {
    const wrong: Backend = {
      ...reference,
      rmsNorm: (out, x, weight, eps) => reference.rmsNorm(out, x, weight, eps * (x.shape[0] === 1 ? 1 : 2)),
    };
    const rmsNorm = INVARIANCE_CASES.find((c) => c.name === "rmsNorm")!;
    expect(await rowVariance(rmsNorm, [wrong], SEED)).toContain("rmsNorm: output 0 differs at element");
  });
});

/** Mistakes that a kernel could make, by the op whose cases must notice. */
const MISTAKES: readonly (readonly [op: string, mistake: string, make: () => Partial<Backend>])[] = [
  [
    "rmsNorm",
    "weight not offset from 1",
    () => ({ rmsNorm: (out, x, w, eps) => reference.rmsNorm(out, x, plus(w, -1), eps) }),
  ],
  ["rmsNorm", "eps forgotten", () => ({ rmsNorm: (out, x, w) => reference.rmsNorm(out, x, w, 1e-30) })],
  ["rope", "no scaling", () => ({ rope: (x, p, o) => reference.rope(x, p, { ...o, scalingFactor: 1 }) })],
  [
    "rope",
    "theta rounded to bf16",
    () => ({ rope: (x, p, o) => reference.rope(x, p, { ...o, theta: o.theta * 0.999 }) }),
  ],
  ["softCap", "cap as a clamp", () => ({ softCap: (x, cap) => change(x, (v) => Math.max(-cap, Math.min(cap, v))) })],
  [
    "embed",
    "ids clamped",
    () => ({ embed: (out, table, ids, s) => reference.embed(out, table, clamped(ids, table.shape[0]), s) }),
  ],
  [
    "embed",
    "scale rounded to bf16",
    () => ({ embed: (out, table, ids, s) => reference.embed(out, table, ids, s * 1.001) }),
  ],
  [
    "add",
    "writes beyond its rows",
    () => ({
      add(out, a, b) {
        reference.add(out, a, b);
        const { buffer } = (out as ReferenceTensor).data;
        new Float32Array(buffer)[buffer.byteLength / 4 - 1] = 7;
      },
    }),
  ],
  [
    "attention",
    "window one too wide",
    () => ({
      attention: (out, q, cache, layer, plan, o) =>
        reference.attention(out, q, cache, layer, plan, { ...o, window: o.window === null ? null : o.window + 1 }),
    }),
  ],
  [
    "attention",
    "soft cap forgotten",
    () => ({
      attention: (out, q, cache, layer, plan, o) =>
        reference.attention(out, q, cache, layer, plan, { ...o, softCap: null }),
    }),
  ],
  [
    "attention",
    "layers mixed up",
    () => ({
      attention: (out, q, cache, layer, plan, o) =>
        reference.attention(out, q, cache, layer === 2 ? 0 : layer, plan, o),
    }),
  ],
  [
    "writeKv",
    "keys written as values",
    () => ({ writeKv: (cache, layer, k, _v, plan) => reference.writeKv(cache, layer, k, k, plan) }),
  ],
  [
    "loraDelta",
    "overwrites instead of adding",
    () => ({
      loraDelta(out, x, a, b, scale) {
        change(out, () => 0);
        reference.loraDelta(out, x, a, b, scale);
      },
    }),
  ],
  [
    "rmsNormBackward",
    "overwrites the weight's gradient",
    () => ({
      rmsNormBackward(dx, dWeight, ...rest) {
        if (dWeight) change(dWeight, () => 0);
        reference.rmsNormBackward(dx, dWeight, ...rest);
      },
    }),
  ],
  [
    "matmulBackward",
    "never accumulates",
    () => ({ matmulBackward: (dx, dy, w) => reference.matmulBackward(dx, dy, w, false) }),
  ],
  [
    "loraDeltaBackward",
    "scale forgotten",
    () => ({
      loraDeltaBackward: (out, dOut, x, a, b, _, accumulate) =>
        reference.loraDeltaBackward(out, dOut, x, a, b, 1, accumulate),
    }),
  ],
  [
    "matmulWeightBackward",
    "overwrites instead of adding",
    () => ({
      matmulWeightBackward(dWeight, dOut, x) {
        change(dWeight, () => 0);
        reference.matmulWeightBackward(dWeight, dOut, x);
      },
    }),
  ],
  [
    "embedBackward",
    "scale forgotten",
    () => ({ embedBackward: (dTable, dOut, ids) => reference.embedBackward(dTable, dOut, ids, 1) }),
  ],
  ["dropout", "draws begin at zero", () => ({ dropout: (out, x, dropout) => reference.dropout(out, x, dropout, 0) })],
  [
    "packWeight",
    "cut off instead of rounded",
    () => ({
      packWeight(weight, values) {
        const bits = new Int32Array((values as ReferenceTensor).data.slice().buffer);
        const cut = new Float32Array(bits.map((value) => value & ~0xffff).buffer);
        if (weight.dtype === "BF16") change(values, (_, i) => cut[i]!);
        reference.packWeight(weight, values);
      },
    }),
  ],
  ["ropeBackward", "rotates on", () => ({ ropeBackward: (dx, positions, o) => reference.rope(dx, positions, o) })],
  [
    "attentionBackward",
    "slope of the soft cap forgotten",
    () => ({
      attentionBackward: (out, dOut, q, k, v, queries, keys, o) =>
        reference.attentionBackward(out, dOut, q, k, v, queries, keys, { ...o, softCap: null }),
    }),
  ],
  [
    "attentionBackward",
    "sequences mixed up",
    () => ({
      attentionBackward: (out, dOut, q, k, v, queries, keys, o) =>
        reference.attentionBackward(
          out,
          dOut,
          q,
          k,
          v,
          { ...queries, sequences: zeros(queries.sequences) },
          { ...keys, sequences: zeros(keys.sequences) },
          o,
        ),
    }),
  ],
  [
    "crossEntropy",
    "rows without a target count",
    () => ({
      crossEntropy: (out, x, head, cap, targets, weights) =>
        reference.crossEntropy(out, x, head, cap, clamped(targets, head.shape[0]), weights),
    }),
  ],
  [
    "adamW",
    "no correction of the first steps",
    () => ({ adamW: (p, state, g, o) => reference.adamW(p, state, g, { ...o, step: 1_000_000 }) }),
  ],
  ["scale", "zero times NaN", () => ({ scale: (out, x, factor) => reference.scale(out, x, factor || 1e-45) })],
  [
    "sample",
    "top-p forgotten",
    () => ({
      sample: (out, logits, rows) =>
        reference.sample(
          out,
          logits,
          rows.map((row) => ({ ...row, topP: 1 })),
        ),
    }),
  ],
  [
    "sample",
    "mask forgotten",
    () => ({
      sample: (out, logits, rows) =>
        reference.sample(
          out,
          logits,
          rows.map((row) => ({ ...row, mask: null })),
        ),
    }),
  ],
  [
    "sample",
    "penalties forgotten",
    () => ({
      sample: (out, logits, rows) =>
        reference.sample(
          out,
          logits,
          rows.map((row) => ({
            ...row,
            penaltyIds: row.penaltyIds.slice(0, 0),
            penaltyCounts: row.penaltyCounts.slice(0, 0),
          })),
        ),
    }),
  ],
];

describe("the suite notices", () => {
  test.each(MISTAKES)("%s: %s", async (op, _, make) => {
    const wrong: Backend = { ...reference, ...make() };
    let noticed = false;
    for (const c of conformanceCases().filter((each) => each.op.name === op)) {
      try {
        const { error, tolerance } = await runCase(c, wrong, reference, SEED);
        noticed = error > tolerance;
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_OUT_OF_BOUNDS" });
        noticed = true;
      }
      if (noticed) break;
    }
    expect(noticed).toBe(true);
  });
});

function change(tensor: Tensor, next: (value: number, index: number) => number): void {
  const { data } = tensor as ReferenceTensor;
  for (const [i, value] of data.entries()) data[i] = next(value, i);
}

function plus(tensor: Tensor, term: number): Tensor {
  const sum = reference.tensor("f32", tensor.shape);
  reference.write(
    sum,
    Float32Array.from((tensor as ReferenceTensor).data, (value) => value + term),
  );
  return sum;
}

function zeros(like: Tensor): Tensor {
  return reference.tensor("i32", like.shape);
}

function clamped(ids: Tensor, below: number): Tensor {
  const result = reference.tensor("i32", ids.shape);
  const clamp = (id: number) => Math.max(0, Math.min(below - 1, id));
  reference.write(result, Int32Array.from((ids as ReferenceTensor).data, clamp));
  return result;
}
