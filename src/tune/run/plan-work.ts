import { GemmaError } from "../../base/errors.js";
import type { GemmaConfig } from "../../model/config.js";
import type { EncodedExample } from "../data/encode-examples.js";
import type { TrainerOptions } from "../trainer.js";
import type { TuneConfig } from "./config.js";
import type { DataEvent, PlanEvent } from "./events.js";
import { planMemory, type TunePlace, trainableParameters } from "./memory.js";
import { measuredBatches, RunPlan } from "./plan.js";
import type { PreparedData } from "./prepare-data.js";

/** All that a run will do, before weights are read. */
export interface Work {
  readonly plan: RunPlan;
  /** Micro-batches that are measured. */
  readonly heldOut: readonly (readonly EncodedExample[])[];
  /** What the learner must have room for. */
  readonly options: Omit<TrainerOptions, "kv">;
  /** What is told of it. */
  readonly events: readonly [DataEvent, PlanEvent];
}

/** @param storedBytes of the base's weights */
export function planWork(
  base: GemmaConfig,
  storedBytes: number,
  config: TuneConfig,
  data: PreparedData,
  place: TunePlace,
): Work {
  const plan = new RunPlan(data.train, config);
  const heldOut = measuredBatches(data.heldOut, config);
  const limits = plan.limits(heldOut);
  const planned = planMemory(base, storedBytes, config, limits, place);
  const { lengths, heldOutLengths, duplicates, learnedHeldOut } = data;
  const summary: PlanEvent = {
    type: "plan",
    method: config.method,
    examples: data.train.length,
    tokens: plan.tokens,
    heldOut: data.heldOut.length,
    epochs: plan.epochs,
    steps: plan.steps,
    trainableParameters: trainableParameters(base, config),
    ...planned,
  };
  return {
    plan,
    heldOut,
    options: { ...limits, checkpoints: planned.activationCheckpoints },
    events: [{ type: "data", lengths, heldOut: heldOutLengths, duplicates, learnedHeldOut }, summary],
  };
}

/** @param limit of memory, and who sets it: "this machine has". @throws ERR_OUT_OF_MEMORY */
export function expectFits(
  where: string,
  { events: [, { memory }] }: Work,
  { method }: TuneConfig,
  limit: { readonly bytes: number; readonly says: string },
): void {
  const { totalBytes, weightsBytes, trainedBytes, activationsBytes, lossBytes } = memory;
  if (totalBytes <= limit.bytes) return;
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new GemmaError(
    "ERR_OUT_OF_MEMORY",
    `${where}: tuning takes about ${gb(totalBytes)} (weights ${gb(weightsBytes)}, gradients and optimizer ` +
      `${gb(trainedBytes)}, activations ${gb(activationsBytes)}, logits ${gb(lossBytes)}), ` +
      `${limit.says} ${gb(limit.bytes)}`,
    {
      hint:
        method === "full"
          ? "choose the method lora, or smaller batchTokens (--batch-tokens); ignoreMemory (--yes) goes on all the same"
          : "choose smaller batchTokens and maxLength (--batch-tokens, --max-length), or activationCheckpoints; ignoreMemory (--yes) goes on all the same",
    },
  );
}
