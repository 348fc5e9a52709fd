import { expectFinite, expectInteger, expectPositive, expectSameShape, expectWithin } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";

export interface AdamWState {
  readonly m: Tensor; // f32, like the parameter: the running mean of gradients; zeros before the first step
  readonly v: Tensor; // f32, like the parameter: the running mean of their squares; zeros before the first step
}

export interface AdamWOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Decoupled: the parameter shrinks by learningRate · weightDecay of itself. */
  readonly weightDecay: number;
  /** Number of this step, from 1. */
  readonly step: number;
  /** Factor on the gradient before it is used: clipping. */
  readonly gradScale: number;
}

/**
 * One step of AdamW (Loshchilov and Hutter 2017), as torch.optim.AdamW computes it. With g = gradScale · gradient:
 *
 *     p -= learningRate · weightDecay · p
 *     m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g²
 *     p -= learningRate / (1 - beta1^step) · m / (sqrt(v / (1 - beta2^step)) + eps)
 *
 * @param parameter f32 of any shape, updated in place
 * @param state     m and v, updated in place
 * @param gradient  f32 of the same shape
 */
export type AdamW = (parameter: Tensor, state: AdamWState, gradient: Tensor, options: AdamWOptions) => void;

interface AdamWCase {
  readonly shape: readonly number[];
  readonly options?: Partial<AdamWOptions>;
  readonly isFirst?: boolean;
  readonly start?: number;
}

const DEFAULTS: AdamWOptions = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  weightDecay: 0.01,
  step: 10,
  gradScale: 1,
};

export const adamW = defineOp<Parameters<AdamW>, AdamWCase>({
  name: "adamW",
  check(parameter, { m, v }, gradient, o) {
    for (const [name, tensor] of Object.entries({ m, v, gradient })) expectSameShape("adamW", name, tensor, parameter);
    expectWithin("adamW", "learningRate", o.learningRate, 0, Number.MAX_VALUE);
    expectWithin("adamW", "beta1", o.beta1, 0, 1 - Number.EPSILON);
    expectWithin("adamW", "beta2", o.beta2, 0, 1 - Number.EPSILON);
    expectPositive("adamW", "eps", o.eps);
    expectWithin("adamW", "weightDecay", o.weightDecay, 0, Number.MAX_VALUE);
    expectInteger("adamW", "step", o.step, 1, Number.MAX_SAFE_INTEGER);
    expectFinite("adamW", "gradScale", o.gradScale);
  },
  tolerance: { f32: 1e-6 },
  cases: [
    { shape: [0, 4] },
    { shape: [1], isFirst: true, options: { step: 1 } },
    { shape: [17, 3], start: 1, options: { step: 1, weightDecay: 0 }, isFirst: true },
    { shape: [33], start: 3, options: { gradScale: 0.25, step: 3 } },
    { shape: [4, 16], options: { beta1: 0, beta2: 0, step: 100_000 } },
    { shape: [40, 257], options: { learningRate: 0.1, eps: 1e-6, beta2: 0.95 } },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const count = c.shape.reduce((product, dim) => product * dim, 1);
    const random = (scale = 1) =>
      tensors.input(
        c.shape,
        randomValues(rng, count).map((value) => value * scale),
      );
    const parameter = random();
    const m = random(c.isFirst ? 0 : 1);
    const v = tensors.input(
      c.shape,
      randomValues(rng, count).map((value) => (c.isFirst ? 0 : value * value)),
    );
    be.adamW(parameter, { m, v }, random(), { ...DEFAULTS, ...c.options });
    return {
      parameter: { values: await tensors.read(parameter) },
      m: { values: await tensors.read(m) },
      v: { values: await tensors.read(v) },
    };
  },
});
