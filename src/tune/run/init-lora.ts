import type { Backend } from "../../backend/backend.js";
import type { Tensor } from "../../backend/tensor.js";
import { seededRng } from "../../base/rng.js";
import type { Adapter, LoraPair, Projection } from "../../model/adapter.js";
import { peftModule, projectionShape } from "../../model/adapter-peft.js";
import type { GemmaConfig } from "../../model/config.js";
import { derivedSeed } from "./seeds.js";

export interface LoraShape {
  readonly rank: number;
  readonly alpha: number;
  readonly rsLora: boolean;
  readonly targets: readonly Projection[];
}

/** The factor of B A. rsLoRA: Kalajdzievski 2023. */
export function loraScale({ rank, alpha, rsLora }: LoraShape): number {
  return alpha / (rsLora ? Math.sqrt(rank) : rank);
}

/**
 * A new adapter, as PEFT makes it: A [r, in] is uniform in ±1/sqrt(in) (Kaiming's with a = sqrt(5)), B is zero, so that the
 * model is the base's. Each A depends on the seed and its own name alone, not on which others there are.
 *
 * @throws ERR_OUT_OF_MEMORY
 */
export function newAdapter(be: Backend, base: GemmaConfig, shape: LoraShape, seed: number): Adapter {
  const scale = loraScale(shape);
  const layers = Array.from({ length: base.numHiddenLayers }, (_, layer) => {
    const pairs = shape.targets.map((projection): [Projection, LoraPair] => {
      const [out, width] = projectionShape(projection, base);
      const a = uniform(be, [shape.rank, width], derivedSeed(seed, `layers.${layer}.${peftModule(projection)}`));
      return [projection, { a, b: be.tensor("f32", [out, shape.rank]), scale }];
    });
    return new Map(pairs);
  });
  return { name: "tuned", layers };
}

function uniform(be: Backend, [rows, width]: readonly [number, number], seed: number): Tensor {
  const rng = seededRng(seed);
  const bound = 1 / Math.sqrt(width);
  const tensor = be.tensor("f32", [rows, width]);
  be.write(
    tensor,
    Float32Array.from({ length: rows * width }, () => rng.between(-bound, bound)),
  );
  return tensor;
}
