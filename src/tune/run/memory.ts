import type { Activations, BackendName } from "../../backend/backend.js";
import { projectionShape } from "../../model/adapter-peft.js";
import type { GemmaConfig } from "../../model/config.js";
import { dimensions, expectedTensors } from "../../model/tensors.js";
import type { StepLimits } from "../step-plan.js";
import type { TuneConfig } from "./config.js";

/** Node, the vocabulary and what reads the data; measured. */
const PROGRAM_BYTES = 250e6;
/** Where a run may take so much of the machine's memory, it is faster with all activations kept. */
const FREE_SHARE = 0.25;

/** About what a run takes, in bytes. */
export interface TuneMemory {
  /** The base's weights; of full tuning as f32 values and once more packed for the forward pass. */
  readonly weightsBytes: number;
  /** The adapter's values, and of all that is trained the gradients and the optimizer's two moments. */
  readonly trainedBytes: number;
  /** A micro-batch's activations and their gradients. */
  readonly activationsBytes: number;
  /** What the loss keeps of the logits of some rows, at most. */
  readonly lossBytes: number;
  /** The program itself. */
  readonly programBytes: number;
  readonly totalBytes: number;
}

/** Where a run is: the name of its backend, and the memory that the process may use. */
export interface TunePlace {
  readonly backend: BackendName;
  readonly memoryBytes: number;
}

/** How many numbers the optimizer changes. */
export function trainableParameters(base: GemmaConfig, config: TuneConfig): number {
  if (config.method === "full") {
    const sizes = expectedTensors(base, "hf").map(({ shape }) => shape.reduce((product, dim) => product * dim, 1));
    return sizes.reduce((sum, size) => sum + size, 0);
  }
  const perLayer = config.targets.map((projection) => {
    const [out, width] = projectionShape(projection, base);
    return config.rank * (out + width);
  });
  return base.numHiddenLayers * perLayer.reduce((sum, size) => sum + size, 0);
}

/**
 * What a run takes, and whether it computes the insides of blocks anew: as the configuration says, else where keeping them would
 * take more than a quarter of the machine's memory. The weights become the same either way.
 *
 * @param storedBytes of the base's weights
 */
export function planMemory(
  base: GemmaConfig,
  storedBytes: number,
  config: TuneConfig,
  limits: StepLimits,
  { backend, memoryBytes }: TunePlace,
): { readonly memory: TuneMemory; readonly activationCheckpoints: boolean } {
  const estimate = (checkpoints: boolean) =>
    estimateTuneMemory(base, storedBytes, config, limits, backend, checkpoints);
  const activationCheckpoints = config.activationCheckpoints ?? estimate(false).totalBytes > FREE_SHARE * memoryBytes;
  return { memory: estimate(activationCheckpoints), activationCheckpoints };
}

/** @param checkpoints whether of each block its input alone is kept */
export function estimateTuneMemory(
  base: GemmaConfig,
  storedBytes: number,
  config: TuneConfig,
  { maxRows }: StepLimits,
  backend: BackendName,
  checkpoints: boolean,
): TuneMemory {
  const { D, Q, KV, F, V } = dimensions(base);
  const layers = base.numHiddenLayers;
  const blockWidth = 2 * (D + Q + KV + F); // x, h; q, attn; k, v; gate, up
  // Measured: a block that is recorded saves most of these, and has gradients of most.
  const recorded = checkpoints ? 2 * blockWidth + layers * D : layers * 1.75 * blockWidth;
  const keysAndValues = 2 * KV * layers;
  const activationsBytes = 4 * (maxRows * (blockWidth + recorded + keysAndValues) + V);
  const trained = trainableParameters(base, config);
  const isFull = config.method === "full";
  const weightsBytes = isFull ? 8 * trained : storedBytes;
  const trainedBytes = (isFull ? 12 : 16) * trained;
  const lossBytes = estimateLoss(backend, config.activations, maxRows, V, D);
  const totalBytes = weightsBytes + trainedBytes + activationsBytes + lossBytes + PROGRAM_BYTES;
  return { weightsBytes, trainedBytes, activationsBytes, lossBytes, programBytes: PROGRAM_BYTES, totalBytes };
}

/** Of the logits of some rows at a time, as addon-loss.cc, loss-ops.ts and the reference's cross-entropy.ts keep them. */
function estimateLoss(backend: BackendName, activations: Activations, rows: number, V: number, D: number): number {
  if (backend === "native") {
    const chunk = Math.min(rows, activations === "int8" ? 512 : 128);
    return chunk * (5 * V + 4 * 16 * D); // each with its place; and parts of the rows' gradients
  }
  if (backend === "wasm") return Math.max(4 * V, Math.min(4 * V * Math.min(rows, 128), 32 << 20));
  return 8 * V;
}
