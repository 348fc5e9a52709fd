import { describe, expect, test } from "vitest";
import type { Backend } from "../../backend/backend.js";
import { TRAINING_OPS } from "../../backend/ops/index.js";
import { checkGradient, GRADIENT_CASES } from "../../backend/testing/gradients.js";
import { referenceBackend } from "./index.js";

const SEED = 20_251;
const reference = await referenceBackend.create({ activations: "f32" });

describe("gradients are the slopes of their operations", () => {
  test.each(GRADIENT_CASES.map((c) => [c.name, c] as const))("%s", async (_, c) => {
    const { error, where } = await checkGradient(c, reference, SEED);
    expect(error, where).toBeLessThan(c.tolerance);
  });

  test("every backward operation is tried", async () => {
    const called = new Set<string>();
    const watched = new Proxy(reference, {
      get(target, name: keyof Backend) {
        called.add(name);
        return target[name];
      },
    });
    for (const c of GRADIENT_CASES) await checkGradient(c, watched, SEED);
    expect(TRAINING_OPS.map(({ name }) => name).filter((name) => !called.has(name))).toEqual([
      "dropout",
      "adamW",
      "sumSquares",
    ]);
  });

  test("a slope that is wrong by a thousandth is caught", async () => {
    const wrong: Backend = {
      ...reference,
      gegluBackward(dGate, dUp, dOut, gate, up) {
        reference.gegluBackward(dGate, dUp, dOut, gate, up);
        reference.scale(dGate, dGate, 1.001);
      },
    };
    const geglu = GRADIENT_CASES.find(({ name }) => name === "geglu")!;
    expect((await checkGradient(geglu, wrong, SEED)).error).toBeGreaterThan(geglu.tolerance);
  });
});
