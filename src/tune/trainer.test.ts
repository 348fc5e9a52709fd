import { afterEach, describe, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { type Tunable, TunableModel } from "../../test/helpers/tunable-model.js";
import type { Backend } from "../backend/backend.js";
import { seededRng } from "../base/rng.js";
import type { Adapter, LoraPair, Projection } from "../model/adapter.js";
import type { Sequence } from "./data/encode-examples.js";
import { addDpoGradients } from "./dpo.js";
import { Optimizer } from "./optimizer.js";
import { loraParameters, zeroGradients } from "./parameters.js";
import { Trainer } from "./trainer.js";

const opened: TunableModel[] = [];

async function open(path: string, watch?: (be: Backend) => Backend): Promise<TunableModel> {
  const model = await TunableModel.open(path, watch);
  opened.push(model);
  return model;
}

afterEach(() => {
  for (const { be } of opened.splice(0)) be.dispose();
});

/** Random tokens; those behind the prompt are targets. */
function sample(seed: number, length: number, promptLength = 2): Sequence {
  const rng = seededRng(seed);
  return {
    ids: Int32Array.from({ length }, () => 3 + rng.integer(500)),
    isTarget: Uint8Array.from({ length }, (_, i) => (i >= promptLength ? 1 : 0)),
    targets: length - promptLength,
  };
}

async function gradientsOf(be: Backend, { parameters }: Pick<Tunable, "parameters">): Promise<Float32Array[]> {
  const all: Float32Array[] = [];
  for (const { gradient } of parameters) all.push((await be.read(gradient)) as Float32Array);
  return all;
}

function largestDifference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let largest = 0;
  for (const [i, values] of a.entries()) {
    for (const [k, value] of values.entries()) largest = Math.max(largest, Math.abs(value - b[i]![k]!));
  }
  return largest;
}

describe("gradients", () => {
  test("of blocks that are computed anew are the same bits", async () => {
    const model = await open(TINY.gemma3);
    const samples = [sample(1, 30), sample(2, 21)];
    const results: Float32Array[][] = [];
    for (const checkpoints of [true, false]) {
      const tunable = model.lora(TINY.adapter, { checkpoints });
      await tunable.trainer.addGradients(samples, tunable.adapter, 1);
      results.push(await gradientsOf(model.be, tunable));
    }
    expect(results[0]).toEqual(results[1]);
  });

  test("samples of a step do not see each other: they are those of the samples alone", async () => {
    const model = await open(TINY.gemma3);
    const samples = [sample(1, 30), sample(2, 21, 20), sample(3, 2, 1)];
    const tunable = model.lora(TINY.adapter);
    const { trainer, adapter, parameters } = tunable;
    const together = await trainer.addGradients(samples, adapter, 0.1);
    const inOne = await gradientsOf(model.be, tunable);
    zeroGradients(model.be, parameters);
    let alone = 0;
    for (const each of samples) alone += await trainer.addGradients([each], adapter, 0.1);
    expect(alone).toBeCloseTo(together, 4);
    expect(largestDifference(await gradientsOf(model.be, tunable), inOne)).toBeLessThan(1e-5);
  });

  // The slope along the gradient itself, which is its squared norm: through packed weights, soft caps and windows.
  test.each(["gemma1", "gemma2", "gemma3"] as const)("of a quantised %s are the slope of its loss", async (name) => {
    const model = await open(TINY[name]);
    const adapter = randomAdapter(model, ["q", "k", "v", "o", "gate", "up", "down"]);
    const parameters = loraParameters(model.be, adapter);
    const trainer = model.trainer(model.weights, parameters);
    const samples = [sample(5, 40), sample(6, 17)];
    await trainer.addGradients(samples, adapter, 1);
    const gradients = await gradientsOf(model.be, { parameters });
    const norm = Math.hypot(...gradients.map((values) => Math.hypot(...values)));
    const values = await Promise.all(parameters.map(({ value }) => model.be.read(value)));
    const lossAt = async (distance: number) => {
      for (const [i, { value }] of parameters.entries()) {
        const moved = Float32Array.from(values[i]!, (v, k) => v + (distance / norm) * gradients[i]![k]!);
        model.be.write(value, moved);
      }
      const logProbs = await trainer.logProbs(samples, adapter);
      return -logProbs.reduce((a, b) => a + b, 0);
    };
    const h = 1e-2;
    const [near, far] = [(await lossAt(h)) - (await lossAt(-h)), (await lossAt(2 * h)) - (await lossAt(-2 * h))];
    const slope = (8 * near - far) / (12 * h);
    expect(Math.abs(slope / norm - 1)).toBeLessThan(2e-3);
  });

  test("with dropout are the slope of the loss that drops the same; another seed drops others", async () => {
    const model = await open(TINY.gemma3);
    const tunable = model.lora(TINY.adapter);
    const { trainer, adapter, parameters } = tunable;
    const samples = [sample(5, 14), sample(6, 9)];
    const lossWith = (seed: number) => trainer.addGradients(samples, adapter, 1, { rate: 0.3, seed });
    const loss = await lossWith(1);
    const gradients = await gradientsOf(model.be, tunable);
    expect(await lossWith(1)).toBe(loss);
    expect(await lossWith(2)).not.toBe(loss);
    expect(await trainer.addGradients(samples, adapter, 1)).not.toBe(loss);
    const norm = Math.hypot(...gradients.map((values) => Math.hypot(...values)));
    const values = await Promise.all(parameters.map(({ value }) => model.be.read(value)));
    const lossAt = async (distance: number) => {
      for (const [i, { value }] of parameters.entries()) {
        model.be.write(
          value,
          Float32Array.from(values[i]!, (v, k) => v + (distance / norm) * gradients[i]![k]!),
        );
      }
      return lossWith(1);
    };
    const h = 1e-3;
    expect(Math.abs(((await lossAt(h)) - (await lossAt(-h))) / (2 * h) / norm - 1)).toBeLessThan(5e-3);
  });

  test.each([[["q"]], [["k"]], [["down"]], [["o", "v"]]] as [Projection[]][])(
    "of some projections alone are those that they have among all, %j",
    async (targets) => {
      const model = await open(TINY.gemma3);
      const whole = randomAdapter(model, ["q", "k", "v", "o", "gate", "up", "down"]);
      const samples = [sample(8, 25)];
      const all = loraParameters(model.be, whole);
      await model.trainer(model.weights, all).addGradients(samples, whole, 1);
      const named = all.filter(({ name }) => targets.some((target) => name.includes(`${target}_proj`)));
      const frozen = named.map((parameter) => ({
        ...parameter,
        gradient: model.be.tensor("f32", parameter.value.shape),
      }));
      await model.trainer(model.weights, frozen).addGradients(samples, whole, 1);
      expect(await gradientsOf(model.be, { parameters: frozen })).toEqual(
        await gradientsOf(model.be, { parameters: named }),
      );
    },
  );
});

test("full tuning of a quantised model starts from its dequantised weights, and learns", async () => {
  const model = await open(TINY.gemma3);
  const samples = [sample(5, 20), sample(6, 9)];
  const quantised = await model.trainer(model.weights, []).logProbs(samples, null);
  const { trainer, parameters } = model.full();
  expect(await trainer.logProbs(samples, null)).toEqual(quantised); // the same bits
  const optimizer = new Optimizer(model.be, parameters);
  const losses: number[] = [];
  for (let step = 0; step < 4; step++) {
    zeroGradients(model.be, parameters);
    losses.push(await trainer.addGradients(samples, null, 1 / 20));
    const norm = await optimizer.gradientNorm();
    optimizer.step(1e-3, Math.min(1, 1 / norm)); // clipped to a norm of 1
  }
  expect(losses).toEqual([...losses].sort((a, b) => b - a));
  expect(losses[3]).toBeLessThan(losses[0]! * 0.8);
});

describe("memory", () => {
  test("steps leave nothing behind, and free gives all of it back", async () => {
    let live = 0;
    const model = await open(TINY.gemma3, (be) => ({
      ...be,
      tensor(dtype, shape) {
        live += 1;
        return be.tensor(dtype, shape);
      },
      kvCache(layout) {
        live += 1;
        return be.kvCache(layout);
      },
      free(handle) {
        live -= 1;
        be.free(handle);
      },
    }));
    const adapter = randomAdapter(model, ["q", "v", "down"]);
    const parameters = loraParameters(model.be, adapter);
    const before = live;
    const trainer = model.trainer(model.weights, parameters);
    const samples = [sample(1, 9), sample(2, 7)];
    await trainer.addGradients(samples, adapter, 1);
    await trainer.addGradients(samples, adapter, 1);
    const [afterTwo, bytes] = [live, trainer.scratchBytes];
    const pair = { chosen: samples[0]!, rejected: samples[1]! };
    for (let i = 0; i < 3; i++) {
      await trainer.addGradients(samples, adapter, 1);
      await addDpoGradients(trainer, [pair], adapter, 0.1, 1);
      await trainer.addGradients(samples, adapter, 1);
    }
    expect(live).toBe(afterTwo);
    expect(trainer.scratchBytes).toBe(bytes);
    trainer.free();
    expect(live).toBe(before);
  });

  test("checkpoints keep it flat in depth: a layer more costs its input alone", async () => {
    const model = await open(TINY.gemma3);
    const bytes: number[] = [];
    for (const checkpoints of [true, false]) {
      const { trainer, adapter } = model.lora(TINY.adapter, { checkpoints });
      await trainer.addGradients([sample(1, 40)], adapter, 1);
      bytes.push(trainer.scratchBytes);
    }
    expect(bytes[0]).toBeLessThan(bytes[1]! / 2); // of 7 layers
  });
});

describe("refuses", () => {
  test.each([
    ["ERR_LIMIT_EXCEEDED", "rows of a sequence in a step must be at most 48, got 59", [sample(1, 60)]],
    ["ERR_LIMIT_EXCEEDED", "rows in a step must be at most 128, got 141", [1, 2, 3].map((seed) => sample(seed, 48))],
    [
      "ERR_LIMIT_EXCEEDED",
      "sequences in a step must be at most 4, got 5",
      [1, 2, 3, 4, 5].map((seed) => sample(seed, 4)),
    ],
    ["ERR_INVALID_VALUE", "a step must have a token to predict, got none", [sample(1, 8, 8)]],
  ])("%s: %s", async (code, message, samples) => {
    const model = await open(TINY.gemma3);
    const { trainer, adapter } = model.lora(TINY.adapter);
    const refused = trainer.addGradients(samples, adapter, 1);
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    await trainer.addGradients([sample(1, 8)], adapter, 1); // the next step is as ever
  });

  test("a backend without backward kernels", async () => {
    const model = await open(TINY.gemma3);
    const lacking = { ...model.be, lacks: ["crossEntropy"] as const };
    const limits = { maxRows: 8, maxSequences: 1, maxLength: 8 };
    const trainerOn = (be: Backend) => new Trainer(be, model.config, model.weights, [], limits);
    expect(() => trainerOn(lacking)).toThrow("the backend must have crossEntropy, reference lacks it");
  });

  test("a step whose loss fails; the next one is as ever", async () => {
    let fails = false;
    const model = await open(TINY.gemma3, (be) => ({
      ...be,
      crossEntropy(...args) {
        if (fails) throw new Error("no memory");
        be.crossEntropy(...args);
      },
    }));
    const tunable = model.lora(TINY.adapter);
    const { trainer, adapter, parameters } = tunable;
    await trainer.addGradients([sample(1, 20)], adapter, 1);
    const wanted = await gradientsOf(model.be, tunable);
    zeroGradients(model.be, parameters);
    fails = true;
    await expect(trainer.addGradients([sample(1, 20)], adapter, 1)).rejects.toThrow("no memory");
    fails = false;
    await trainer.addGradients([sample(1, 20)], adapter, 1);
    expect(await gradientsOf(model.be, tunable)).toEqual(wanted);
  });

  test("preferences for a whole model", async () => {
    const model = await open(TINY.gemma1);
    const { trainer } = model.full();
    const pair = { chosen: sample(1, 8), rejected: sample(2, 8) };
    const adapter = { name: "none", layers: [] };
    await expect(addDpoGradients(trainer, [pair], adapter, 0.1, 1)).rejects.toMatchObject({
      code: "ERR_UNSUPPORTED_OPTION",
    });
  });
});

/** A pair for each of these projections in every layer, all values random. */
function randomAdapter({ be, config, weights }: TunableModel, projections: readonly Projection[]): Adapter {
  const rng = seededRng(3);
  const matrix = (rows: number, width: number) => {
    const tensor = be.tensor("f32", [rows, width]);
    be.write(
      tensor,
      Float32Array.from({ length: rows * width }, () => 0.05 * rng.normal()),
    );
    return tensor;
  };
  const layers = weights.layers.map((layer) => {
    const { wq: q, wk: k, wv: v, wo: o, wGate: gate, wUp: up, wDown: down } = layer;
    const pairs = projections.map((name): [Projection, LoraPair] => {
      const [out, width] = { q, k, v, o, gate, up, down }[name].shape;
      return [name, { a: matrix(4, width), b: matrix(out, 4), scale: 2 }];
    });
    return new Map(pairs);
  });
  expect(layers.length).toBe(config.numHiddenLayers);
  return { name: "random", layers };
}
