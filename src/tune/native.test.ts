import { describe, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { TunableModel } from "../../test/helpers/tunable-model.js";
import type { Activations, BackendFactory } from "../backend/backend.js";
import { nativeBackend } from "../backends/native/index.js";
import { referenceBackend } from "../backends/reference/index.js";
import type { Sequence } from "./data/encode-examples.js";
import { Optimizer } from "./optimizer.js";
import { zeroGradients } from "./parameters.js";
import type { TrainerOptions } from "./trainer.js";

// Training on the native backend: what is the same bits, and what rounding costs.

const available = await nativeBackend.available();
if (available !== true) console.warn(`SKIPPED: training on the native backend: ${available}`);

const SAMPLES = [91, 30].map(
  (length, s): Sequence => ({
    ids: Int32Array.from({ length }, (_, i) => (i * 37 + s) % 199),
    isTarget: new Uint8Array(length).fill(1, 1),
    targets: length - 1,
  }),
);
const TARGETS = 119;
const LIMITS = { maxRows: 192, maxLength: 96 };

const KINDS = ["adapter", "whole model"] as const;
type Kind = (typeof KINDS)[number];

async function open(kind: Kind, factory: BackendFactory, options: Partial<TrainerOptions> = {}) {
  const model = await TunableModel.open(TINY.gemma3, undefined, factory);
  const limits = { ...LIMITS, ...options };
  const tunable = kind === "adapter" ? model.lora(TINY.adapter, limits) : { adapter: null, ...model.full(limits) };
  return { model, ...tunable };
}

function withActivations(factory: BackendFactory, activations: Activations, threads = 2): BackendFactory {
  return { ...factory, create: () => factory.create({ activations, threads }) };
}

/** The parameters' values after three steps. */
async function trained(kind: Kind, activations: Activations, threads: number, checkpoints = true) {
  const native = withActivations(nativeBackend, activations, threads);
  const { model, adapter, parameters, trainer } = await open(kind, native, { checkpoints });
  const optimizer = new Optimizer(model.be, parameters);
  for (let step = 0; step < 3; step++) {
    zeroGradients(model.be, parameters);
    await trainer.addGradients(SAMPLES, adapter, 1 / TARGETS);
    optimizer.step(1e-2);
  }
  const values = await Promise.all(parameters.map(({ value }) => model.be.read(value)));
  model.be.dispose();
  return Buffer.concat(values.map(({ buffer }) => Buffer.from(buffer)));
}

const CASES = KINDS.flatMap((kind) => (["f32", "int8"] as const).map((activations) => [kind, activations] as const));

describe.skipIf(available !== true).each(CASES)("%s, %s activations", (kind, activations) => {
  test("weights are the same bits on any number of threads, with checkpoints and without", async () => {
    const one = await trained(kind, activations, 1);
    for (const threads of [2, 3]) expect((await trained(kind, activations, threads)).equals(one)).toBe(true);
    expect((await trained(kind, activations, 2, false)).equals(one)).toBe(true);
  });

  test("gradients are the reference's", async () => {
    const [got, wanted] = await Promise.all(
      [nativeBackend, referenceBackend].map(async (factory) => {
        const { model, adapter, parameters, trainer } = await open(kind, withActivations(factory, activations));
        const loss = await trainer.addGradients(SAMPLES, adapter, 1 / TARGETS);
        const gradients = await Promise.all(parameters.map(({ gradient }) => model.be.read(gradient)));
        model.be.dispose();
        return { loss, gradients, names: parameters.map(({ name }) => name) };
      }),
    );
    const most = activations === "f32" ? { loss: 1e-5, gradient: 1e-4 } : { loss: 1e-3, gradient: 5e-2 };
    expect(Math.abs(got!.loss / wanted!.loss - 1)).toBeLessThan(most.loss);
    for (const [i, values] of wanted!.gradients.entries()) {
      const difference = values.map((value, k) => value - got!.gradients[i]![k]!);
      expect.soft(norm(difference) / norm(values), wanted!.names[i]).toBeLessThan(most.gradient);
    }
  });
});

function norm(values: Float32Array | Int32Array): number {
  let squares = 0;
  for (const value of values) squares += value ** 2;
  return Math.sqrt(squares);
}
