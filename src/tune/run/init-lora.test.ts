import { expect, test } from "vitest";
import { referenceBackend } from "../../backends/reference/index.js";
import type { Projection } from "../../model/adapter.js";
import { gemma3_270m } from "../../model/variants.js";
import { newAdapter } from "./init-lora.js";

const BASE = { ...gemma3_270m, numHiddenLayers: 2 };

test("a new adapter is PEFT's: A uniform in ±1/sqrt(in), B zero; each A by seed and name alone", async () => {
  const be = await referenceBackend.create({});
  const make = (targets: readonly Projection[], seed: number) =>
    newAdapter(be, BASE, { rank: 16, alpha: 32, rsLora: false, targets }, seed);
  const adapter = make(["q", "down"], 1);
  const { a, b, scale } = adapter.layers[1]!.get("down")!;
  expect([a.shape, b.shape, scale]).toEqual([[16, 2048], [640, 16], 2]);
  const values = Array.from(await be.read(a));
  const bound = 1 / Math.sqrt(2048);
  expect(Math.max(...values)).toBeLessThanOrEqual(bound);
  expect(Math.min(...values)).toBeGreaterThanOrEqual(-bound);
  const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
  expect((await be.read(b)).every((value) => value === 0)).toBe(true);

  const alone = make(["down"], 1);
  const read = async (layer: number) => Array.from(await be.read(alone.layers[layer]!.get("down")!.a));
  expect(await read(1)).toEqual(values);
  expect(await read(0)).not.toEqual(values);
  expect(Array.from(await be.read(make(["down"], 2).layers[1]!.get("down")!.a))).not.toEqual(values);
  be.dispose();
});

test("rsLoRA scales by the root of the rank", async () => {
  const be = await referenceBackend.create({});
  const adapter = newAdapter(be, BASE, { rank: 16, alpha: 32, rsLora: true, targets: ["q"] }, 1);
  expect(adapter.layers[0]!.get("q")!.scale).toBe(8);
  be.dispose();
});
