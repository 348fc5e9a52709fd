import { expect, test } from "vitest";
import type { Backend } from "../backend/backend.js";
import { pageLayerBytes } from "../backend/kv.js";
import { OPS } from "../backend/ops/index.js";
import { elementCount, type Tensor, type Weight } from "../backend/tensor.js";
import type { GemmaConfig } from "../model/config.js";
import type { GemmaWeights } from "../model/gemma.js";
import { dimensions, expectedTensors } from "../model/tensors.js";
import { gemma2b, gemma3_270m } from "../model/variants.js";
import { parseTuneConfig } from "./run/config.js";
import { estimateTuneMemory } from "./run/memory.js";
import { Trainer } from "./trainer.js";

// What a step takes beside the weights, at real sizes: a backend that computes nothing counts its bytes.

class CountingBackend {
  readonly lacks = [];
  peakBytes = 0;
  private bytes = 0;
  private readonly sizes = new Map<object, number>();

  constructor() {
    Object.assign(this, Object.fromEntries(OPS.map(({ name }) => [name, () => {}])));
  }

  info() {
    return { name: "reference", isa: "none", threads: 1, activations: "f32" };
  }

  tensor(dtype: Tensor["dtype"], shape: readonly number[]): Tensor {
    return this.count({ dtype, shape }, 4 * elementCount(shape));
  }

  view({ dtype }: Tensor, shape: readonly number[]): Tensor {
    return { dtype, shape };
  }

  write(): void {}

  async read({ shape }: Tensor): Promise<Float32Array> {
    return new Float32Array(elementCount(shape));
  }

  kvCache(...[layout]: Parameters<Backend["kvCache"]>) {
    const pages = layout.layerGroups.reduce((sum, group) => sum + layout.groupPages[group]!, 0);
    return this.count({ layout, sizeBytes: 0 }, pages * pageLayerBytes(layout));
  }

  free(handle: object): void {
    this.bytes -= this.sizes.get(handle) ?? 0;
    this.sizes.delete(handle);
  }

  private count<Handle extends object>(handle: Handle, bytes: number): Handle {
    this.sizes.set(handle, bytes);
    this.bytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
    return handle;
  }
}

/** Handles without memory. */
function weightsOf(config: GemmaConfig): GemmaWeights {
  const handle = (shape: readonly number[]): Tensor | Weight =>
    shape.length === 1
      ? { dtype: "f32", shape }
      : { dtype: "Q8_0", shape: [shape[0]!, shape[1]!], sizeBytes: 0, isScreened: false };
  const model: Record<string, unknown> = {};
  const absent = { qNorm: null, kNorm: null, postAttnNorm: null, postFfnNorm: null };
  const layers = Array.from({ length: config.numHiddenLayers }, (): Record<string, unknown> => ({ ...absent }));
  for (const { name, layer, shape } of expectedTensors(config, "hf")) {
    (layer === null ? model : layers[layer]!)[name] = handle(shape);
  }
  return { ...model, layers } as unknown as GemmaWeights;
}

test.each([
  { name: "Gemma 3 270M", config: gemma3_270m, samples: 4, checkpoints: true, mostMB: 380 },
  { name: "Gemma 3 270M", config: gemma3_270m, samples: 4, checkpoints: false, mostMB: 2300 },
  { name: "Gemma 2B", config: gemma2b, samples: 1, checkpoints: true, mostMB: 330 },
])(
  "$name, $samples × 512 tokens, checkpoints $checkpoints: at most $mostMB MB beside weights and adapter",
  async (c) => {
    const { config, samples, checkpoints } = c;
    const counting = new CountingBackend();
    const be = counting as unknown as Backend;
    const weights = weightsOf(config);
    const { D, F, Q, KV } = dimensions(config);
    const sizes = { q: [Q, D], k: [KV, D], v: [KV, D], o: [D, Q], gate: [F, D], up: [F, D], down: [D, F] } as const;
    const tensor = (rows: number, width: number): Tensor => ({ dtype: "f32", shape: [rows, width] });
    const layers = weights.layers.map(
      () =>
        new Map(
          Object.entries(sizes).map(([name, [out, width]]) => [
            name as keyof typeof sizes,
            { a: tensor(16, width), b: tensor(out, 16), scale: 2 },
          ]),
        ),
    );
    const parameters = layers.flatMap((pairs) =>
      [...pairs.values()].flatMap(({ a, b }) =>
        [a, b].map((value) => ({ name: "", value, gradient: value, weight: null })),
      ),
    );
    const limits = { maxRows: samples * 512, maxSequences: samples, maxLength: 512 };
    const trainer = new Trainer(be, config, weights, parameters, { ...limits, checkpoints });
    const sample = {
      ids: new Int32Array(513).fill(5),
      isTarget: new Uint8Array(513).fill(1, 1),
      targets: 512,
    };
    await trainer.addGradients(Array(samples).fill(sample), { name: "r16", layers }, 1);
    expect(counting.peakBytes / 1e6).toBeLessThan(c.mostMB);
    // What a run announces before it begins.
    const estimate = estimateTuneMemory(
      config,
      0,
      parseTuneConfig({}),
      limits,
      "reference",
      checkpoints,
    ).activationsBytes;
    expect(estimate / counting.peakBytes).toBeGreaterThan(0.9);
    expect(estimate / counting.peakBytes).toBeLessThan(1.25);
  },
);

test.each([
  { backend: "native", activations: "int8", maxRows: 2048, bytes: 512 * (5 * 262_144 + 64 * 640) },
  { backend: "native", activations: "int8", maxRows: 100, bytes: 100 * (5 * 262_144 + 64 * 640) },
  { backend: "native", activations: "f32", maxRows: 2048, bytes: 128 * (5 * 262_144 + 64 * 640) },
  { backend: "wasm", activations: "int8", maxRows: 2048, bytes: 2 ** 25 },
  { backend: "reference", activations: "f32", maxRows: 2048, bytes: 8 * 262_144 },
] as const)("the loss of $maxRows rows on $backend keeps $bytes bytes at most", (c) => {
  const config = parseTuneConfig({ activations: c.activations });
  const limits = { maxRows: c.maxRows, maxSequences: 1, maxLength: c.maxRows };
  const { lossBytes } = estimateTuneMemory(gemma3_270m, 0, config, limits, c.backend, false);
  expect(lossBytes).toBe(c.bytes);
});
