import { expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { TunableModel } from "../../test/helpers/tunable-model.js";
import type { Activations } from "../backend/backend.js";
import { nativeBackend } from "../backends/native/index.js";
import { Optimizer } from "./optimizer.js";
import { zeroGradients } from "./parameters.js";

// Equal seeds give equal weights on any number of threads: sums over rows, heads and the vocabulary are made in a fixed order.

const available = await nativeBackend.available();
if (available !== true) console.warn(`SKIPPED: training on the native backend: ${available}`);

test.skipIf(available !== true).each(["f32", "int8"] as const)(
  "weights are the same bits on any number of threads, %s",
  async (activations) => {
    const [one, ...others] = await Promise.all([1, 2, 3].map((threads) => trained(activations, threads)));
    for (const other of others) expect(other).toEqual(one);
  },
);

/** The adapter's values after three steps. */
async function trained(activations: Activations, threads: number): Promise<unknown[]> {
  const native = { ...nativeBackend, create: () => nativeBackend.create({ activations, threads }) };
  const model = await TunableModel.open(TINY.gemma3, undefined, native);
  const { adapter, parameters, trainer } = model.lora(TINY.adapter, { maxRows: 192, maxLength: 96 });
  const optimizer = new Optimizer(model.be, parameters);
  const batch = [91, 30].map((length, s) => ({
    ids: Int32Array.from({ length }, (_, i) => (i * 37 + s) % 199),
    isTarget: new Uint8Array(length).fill(1, 1),
    targets: length - 1,
  }));
  for (let step = 0; step < 3; step++) {
    zeroGradients(model.be, parameters);
    await trainer.addGradients(batch, adapter, 1 / 119);
    optimizer.step(1e-2);
  }
  const values = await Promise.all(parameters.map(({ value }) => model.be.read(value)));
  model.be.dispose();
  return values;
}
