import type { AdamW } from "../../backend/ops/adam-w.js";
import { f32 } from "./memory.js";

export const adamW: AdamW = (parameter, state, gradient, o) => {
  const p = f32(parameter);
  const m = f32(state.m);
  const v = f32(state.v);
  const g = f32(gradient);
  const stepSize = o.learningRate / (1 - o.beta1 ** o.step);
  const correction = Math.sqrt(1 - o.beta2 ** o.step);
  for (let i = 0; i < p.length; i++) {
    const grad = o.gradScale * g[i]!;
    m[i] = o.beta1 * m[i]! + (1 - o.beta1) * grad;
    v[i] = o.beta2 * v[i]! + (1 - o.beta2) * grad ** 2;
    const decayed = p[i]! * (1 - o.learningRate * o.weightDecay);
    p[i] = decayed - (stepSize * m[i]!) / (Math.sqrt(v[i]!) / correction + o.eps);
  }
};
