import { describe, expect, test } from "vitest";
import type { Backend } from "./backend.js";
import { checked } from "./checked.js";
import type { KvCache, RowPlan } from "./kv.js";
import { PLAIN_ROW, type SampleRow } from "./ops/sample.js";
import type { Tensor, Weight } from "./tensor.js";

// Whatever an op is given wrongly must be refused before the backend sees it: this backend has no ops at all.
const be = checked({} as Backend);

const f32 = (...shape: number[]): Tensor => ({ dtype: "f32", shape });
const i32 = (...shape: number[]): Tensor => ({ dtype: "i32", shape });
const weight = (n: number, k: number): Weight => ({ dtype: "F32", shape: [n, k], sizeBytes: 0, isScreened: false });

const layout = { dtype: "f32", kvHeads: 2, headDim: 4, layerGroups: [0, 1], groupPages: [1, 1] } as const;
const cache: KvCache = { layout, sizeBytes: 0 };
const plan: RowPlan = {
  positions: i32(3),
  sequences: i32(3),
  pageTables: [i32(1, 1)],
};
const attend = { scale: 1, softCap: null, window: null };
const sampleWith = (change: Partial<SampleRow>) => () => be.sample(i32(1), f32(1, 40), [{ ...PLAIN_ROW, ...change }]);
const probs = (rows: number, n: number) => ({ logProbs: f32(rows), topIds: i32(rows, n), topLogProbs: f32(rows, n) });

const ADAM_W = { learningRate: 1, beta1: 0.9, beta2: 0.9, eps: 1e-8, weightDecay: 0, step: 1, gradScale: 1 };

const SHAPES: readonly (readonly [message: string, call: () => void])[] = [
  ["add: b must be f32 [2, 3] (T, D), got f32 [3, 2]", () => be.add(f32(2, 3), f32(2, 3), f32(3, 2))],
  ["add: a must be f32 [T, D] (T, D), got f32 [6]", () => be.add(f32(6), f32(6), f32(6))],
  ["add: out must be f32 [2, 3] (T, D), got i32 [2, 3]", () => be.add(i32(2, 3), f32(2, 3), f32(2, 3))],
  [
    "rmsNorm: weight must be f32 [2048] (D), got f32 [3072]",
    () => be.rmsNorm(f32(1, 2048), f32(1, 2048), f32(3072), 1e-6),
  ],
  ["geglu: up must be f32 [1, 8] (T, F), got f32 [1, 9]", () => be.geglu(f32(1, 8), f32(1, 8), f32(1, 9))],
  ["softCap: x must be f32 [R, V] (R, V), got f32 [8]", () => be.softCap(f32(8), 30)],
  ["matmul: x must be f32 [2, 5] (T, K), got f32 [2, 4]", () => be.matmul(f32(2, 3), f32(2, 4), weight(3, 5))],
  ["matmul: out must be f32 [2, 3] (T, N), got f32 [2, 5]", () => be.matmul(f32(2, 5), f32(2, 5), weight(3, 5))],
  [
    "matmuls: outs must be 2, one a weight, got 1",
    () => be.matmuls([f32(2, 3)], f32(2, 5), [weight(3, 5), weight(3, 5)]),
  ],
  [
    "matmul: x must be f32 [2, 6] (T, K), got f32 [2, 5]",
    () => be.matmuls([f32(2, 3), f32(2, 3)], f32(2, 5), [weight(3, 5), weight(3, 6)]),
  ],
  [
    "gatedMatmul: wUp must be [3, 5] (F, D), got [3, 6]",
    () => be.gatedMatmul(f32(2, 3), f32(2, 5), weight(3, 5), weight(3, 6)),
  ],
  ["embed: ids must be i32 [2] (T), got f32 [2]", () => be.embed(f32(2, 5), weight(9, 5), f32(2), 1)],
  [
    "loraDelta: b must be f32 [7, 2] (N, r), got f32 [2, 7]",
    () => be.loraDelta(f32(1, 7), f32(1, 5), f32(2, 5), f32(2, 7), 1),
  ],
  ["gatherRows: rows must be i32 [2] (R), got i32 [3]", () => be.gatherRows(f32(2, 4), f32(5, 4), i32(3))],
  [
    "rope: x must be a multiple of head width 4 wide, got 6",
    () => be.rope(f32(3, 6), i32(3), { headDim: 4, theta: 1e4, scalingFactor: 1 }),
  ],
  ["writeKv: v must be f32 [3, 8] (T, K*H), got f32 [3, 4]", () => be.writeKv(cache, 0, f32(3, 8), f32(3, 4), plan)],
  ["writeKv: positions must be i32 [2] (T), got i32 [3]", () => be.writeKv(cache, 0, f32(2, 8), f32(2, 8), plan)],
  [
    "writeKv: layer 1 must have a page table i32 [S, P] in the plan",
    () => be.writeKv(cache, 1, f32(3, 8), f32(3, 8), plan),
  ],
  [
    "attention: q must be a multiple of K*H 8 wide, got 12",
    () => be.attention(f32(3, 12), f32(3, 12), cache, 0, plan, attend),
  ],
  ["logProbs: targets must be i32 [2] (R), got i32 [1]", () => be.logProbs(probs(2, 0), f32(2, 9), i32(1))],
  [
    "logProbs: out.topLogProbs must be f32 [2, 3] (R, n), got f32 [2, 2]",
    () => be.logProbs({ ...probs(2, 3), topLogProbs: f32(2, 2) }, f32(2, 9), i32(2)),
  ],
  ["sample: out must be i32 [1] (R), got i32 [2]", () => be.sample(i32(2), f32(1, 9), [PLAIN_ROW])],
  [
    "matmulBackward: dx must be f32 [2, 5] (T, K), got f32 [2, 3]",
    () => be.matmulBackward(f32(2, 3), f32(2, 3), weight(3, 5), false),
  ],
  [
    "matmulWeightBackward: dWeight must be f32 [3, 5] (N, K), got f32 [5, 3]",
    () => be.matmulWeightBackward(f32(5, 3), f32(2, 3), f32(2, 5)),
  ],
  [
    "rmsNormBackward: dWeight must be f32 [8] (D), got f32 [9]",
    () => be.rmsNormBackward(f32(2, 8), f32(9), f32(2, 8), f32(2, 8), f32(8), 1e-6, false),
  ],
  ["embedBackward: ids must be i32 [2] (T), got i32 [3]", () => be.embedBackward(f32(9, 5), f32(2, 5), i32(3), 1)],
  [
    "loraDeltaBackward: out.db must be f32 [7, 2] (N, r), got f32 [2, 7]",
    () =>
      be.loraDeltaBackward(
        { dx: null, da: f32(2, 5), db: f32(2, 7) },
        f32(1, 7),
        f32(1, 5),
        f32(2, 5),
        f32(7, 2),
        1,
        false,
      ),
  ],
  [
    "attentionBackward: out.dk must be f32 [3, 8] (T, K*H), got f32 [2, 8]",
    () =>
      be.attentionBackward(
        { dq: f32(3, 8), dk: f32(2, 8), dv: f32(3, 8) },
        f32(3, 8),
        f32(3, 8),
        f32(3, 8),
        f32(3, 8),
        plan,
        plan,
        { ...attend, headDim: 4 },
      ),
  ],
  [
    "gegluBackward: out must be another tensor than dUp, got the same",
    () => {
      const both = f32(1, 8);
      be.gegluBackward(both, both, f32(1, 8), f32(1, 8), f32(1, 8));
    },
  ],
  [
    "crossEntropy: out.dHead must be f32 [9, 5] (V, D), got f32 [5, 9]",
    () =>
      be.crossEntropy(
        { losses: f32(2), dx: f32(2, 5), dHead: f32(5, 9) },
        f32(2, 5),
        weight(9, 5),
        null,
        i32(2),
        f32(2),
      ),
  ],
  [
    "adamW: m must be f32 [4], as its partner, got f32 [2, 2]",
    () => be.adamW(f32(4), { m: f32(2, 2), v: f32(4) }, f32(4), ADAM_W),
  ],
  ["sumSquares: x must be f32, got i32 [4]", () => be.sumSquares(f32(1), i32(4))],
  ["packWeight: values must be f32 [3, 5] (N, K), got f32 [5, 3]", () => be.packWeight(weight(3, 5), f32(5, 3))],
];

const RANGES: readonly (readonly [message: string, call: () => void])[] = [
  ["matmuls: the number of weights must be an integer in 1..4, got 0", () => be.matmuls([], f32(1, 2), [])],
  ["rmsNorm: eps must be > 0, got 0", () => be.rmsNorm(f32(1, 2), f32(1, 2), f32(2), 0)],
  ["rmsNorm: eps must be > 0, got NaN", () => be.rmsNorm(f32(1, 2), f32(1, 2), f32(2), Number.NaN)],
  ["softCap: cap must be > 0, got -1", () => be.softCap(f32(1, 2), -1)],
  [
    "embed: scale must be finite, got Infinity",
    () => be.embed(f32(1, 5), weight(9, 5), i32(1), Number.POSITIVE_INFINITY),
  ],
  ["rope: theta must be > 0, got 0", () => be.rope(f32(1, 4), i32(1), { headDim: 4, theta: 0, scalingFactor: 1 })],
  ["writeKv: layer must be an integer in 0..1, got 2", () => be.writeKv(cache, 2, f32(3, 8), f32(3, 8), plan)],
  [
    "attention: window must be an integer in 1..2147483647, got 0",
    () => be.attention(f32(3, 8), f32(3, 8), cache, 0, plan, { ...attend, window: 0 }),
  ],
  ["logProbs: n must be an integer in 0..9, got 10", () => be.logProbs(probs(2, 10), f32(2, 9), i32(2))],
  [
    "adamW: step must be an integer in 1..9007199254740991, got 0",
    () => be.adamW(f32(4), { m: f32(4), v: f32(4) }, f32(4), { ...ADAM_W, step: 0 }),
  ],
  ["dropout: rate must be in 0..0.9999999999999998, got 1", () => be.dropout(f32(4), f32(4), { rate: 1, seed: 0 }, 0)],
  ["scale: factor must be finite, got NaN", () => be.scale(f32(4), f32(4), Number.NaN)],
  [
    "crossEntropy: softCap must be > 0, got 0",
    () => be.crossEntropy({ losses: f32(2), dx: f32(2, 5), dHead: null }, f32(2, 5), weight(9, 5), 0, i32(2), f32(2)),
  ],
  ["sample: rows.length must be an integer in 1..1, got 0", () => be.sample(i32(1), f32(1, 9), [])],
  ["sample: mask.length must be an integer in 2..2147483648, got 1", sampleWith({ mask: new Uint32Array(1) })],
  ["sample: biasValues.length must be an integer in 0..0, got 1", sampleWith({ biasValues: new Float32Array(1) })],
  ["sample: penaltyCounts.length must be an integer in 1..1, got 0", sampleWith({ penaltyIds: new Int32Array(1) })],
  ["sample: temperature must be in 0..100, got -1", sampleWith({ temperature: -1 })],
  ["sample: topK must be an integer in 0..2147483647, got 1.5", sampleWith({ topK: 1.5 })],
  ["sample: topP must be in 0..1, got NaN", sampleWith({ topP: Number.NaN })],
  ["sample: seed must be an integer in 0..9007199254740991, got -1", sampleWith({ seed: -1 })],
  ["sample: repetitionPenalty must be in 0.001..1000, got 0", sampleWith({ repetitionPenalty: 0 })],
];

describe("refused before dispatch", () => {
  test.each(SHAPES)("%s", (message, call) => {
    expect(call).toThrow(expect.objectContaining({ code: "ERR_SHAPE", message }));
  });
  test.each(RANGES)("%s", (message, call) => {
    expect(call).toThrow(expect.objectContaining({ code: "ERR_RANGE", message }));
  });
  test("an output that is also an input, where the contract forbids it", () => {
    const x = f32(3, 8);
    const same = expect.objectContaining({ code: "ERR_SHAPE" });
    expect(() => be.matmul(x, x, weight(8, 8))).toThrow(same);
    expect(() => be.gatherRows(x, x, i32(3))).toThrow(same);
    expect(() => be.attention(x, x, cache, 0, plan, attend)).toThrow(same);
    expect(() => be.loraDelta(x, x, f32(2, 8), f32(8, 2), 1)).toThrow(same);
    expect(() => be.matmulBackward(x, x, weight(8, 8), false)).toThrow(same);
    expect(() => be.gatherRowsBackward(x, x, i32(3))).toThrow(same);
  });
  test("a quantised weight that is to be packed from new values", () => {
    const quantised: Weight = { ...weight(3, 32), dtype: "Q8_0" };
    const refused = expect.objectContaining({
      code: "ERR_INVALID_DTYPE",
      message: "packWeight: weight must be F32, F16 or BF16, got Q8_0",
    });
    expect(() => be.packWeight(quantised, f32(3, 32))).toThrow(refused);
  });
});

test("what passes its check is dispatched with the same arguments", () => {
  const calls: unknown[][] = [];
  const spy = checked({ add: (...args: unknown[]) => void calls.push(args) } as unknown as Backend);
  const [out, a, b] = [f32(1, 2), f32(1, 2), f32(1, 2)];
  spy.add(out, a, b);
  expect(calls).toEqual([[out, a, b]]);
});
