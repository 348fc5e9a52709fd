import { GemmaError } from "../../base/errors.js";
import { macrotask } from "../../base/macrotask.js";
import type { EncodedExample } from "../data/encode-examples.js";
import type { TuneConfig } from "./config.js";
import type { CheckpointEvent, EvalEvent, StepEvent, TuneEvent } from "./events.js";
import type { Learner } from "./learner.js";
import { learningRateAt } from "./learning-rate.js";
import { Meter } from "./meter.js";
import type { RunPlan } from "./plan.js";
import type { RunStore } from "./run-store.js";
import { derivedSeed } from "./seeds.js";

export interface Training {
  readonly learner: Learner;
  readonly config: TuneConfig;
  readonly plan: RunPlan;
  /** Micro-batches that are measured; none: nothing is held out. */
  readonly heldOut: readonly (readonly EncodedExample[])[];
  readonly store: RunStore;
  readonly signal: AbortSignal;
}

/**
 * The steps of a run, from the newest checkpoint of its store to the last. What a step does follows from the
 * configuration, the data and its number: a run that was stopped anywhere ends with the same weights.
 *
 * @throws ERR_DIVERGED for a loss or gradient that is no number, ERR_DISK_FULL; the reason of the aborted signal, once what is
 *   done is in a checkpoint
 */
export async function* train(training: Training): AsyncGenerator<TuneEvent, void, void> {
  const { learner, config, plan, store, signal } = training;
  const notes: string[] = [];
  let done = await store.restore(learner, (why) => notes.push(`a checkpoint is passed over: ${why}`));
  for (const text of notes) yield { type: "note", text };
  if (done > plan.steps) {
    throw new GemmaError("ERR_USAGE", `${store.path}: must have at most ${plan.steps} steps behind it, got ${done}`);
  }
  if (done > 0) yield { type: "note", text: `goes on behind step ${done} of ${plan.steps}` };
  let saved = done;
  const save = async (): Promise<CheckpointEvent[]> => {
    const kept = await store.save(learner, done, config.keepCheckpoints);
    saved = done;
    return kept === null ? [] : [{ type: "checkpoint", step: done, path: kept.path }];
  };
  const meter = new Meter(store.costs(done));
  try {
    yield* measureIfDue(training, done); // a run may be stopped between a step and what is measured behind it
    for (let step = done + 1; step <= plan.steps; step++) {
      const event = await oneStep(training, step, meter);
      done = step;
      yield store.record(event);
      yield* measureIfDue(training, step);
      if (step === plan.steps || step % config.checkpointEvery === 0) yield* await save();
    }
  } catch (error) {
    const isStopped = signal.aborted && !(signal.reason instanceof GemmaError); // not where the lock was lost
    if (isStopped && saved < done) yield* await save();
    throw store.explain(error);
  }
}

async function oneStep(
  { learner, config, plan, store, signal }: Training,
  step: number,
  meter: Meter,
): Promise<StepEvent> {
  meter.begin();
  const { epoch, batches } = plan.update(step);
  const total = learner.count(batches.flat());
  let loss = 0;
  learner.zeroGradients();
  for (const [i, batch] of batches.entries()) {
    await turn(signal);
    loss += await learner.addGradients(batch, total, derivedSeed(config.seed, "dropout", step, i));
  }
  const gradientNorm = await learner.optimizer.gradientNorm();
  for (const [what, value] of [
    ["loss", loss],
    ["gradient", gradientNorm],
  ] as const) {
    if (!Number.isFinite(value)) throw store.diverged(what, step, value);
  }
  const learningRate = learningRateAt(config, step, plan.steps);
  const { clipNorm } = config;
  learner.optimizer.step(learningRate, clipNorm > 0 && gradientNorm > clipNorm ? clipNorm / gradientNorm : 1);
  const measured = { epoch, loss, gradientNorm, learningRate };
  return { type: "step", step, steps: plan.steps, ...measured, ...meter.after(batches.flat(), plan.steps - step) };
}

async function* measureIfDue(training: Training, step: number): AsyncGenerator<EvalEvent, void, void> {
  const { config, plan, heldOut, store } = training;
  const isEnd = step === 0 || step === plan.steps;
  const isDue = isEnd || (config.evalEvery > 0 && step % config.evalEvery === 0);
  if (isDue && heldOut.length > 0 && !store.isMeasured(step)) yield store.record(await measure(training, step));
}

async function measure({ learner, heldOut, config, signal, store }: Training, step: number): Promise<EvalEvent> {
  const sum = { loss: 0, count: 0, gained: 0 };
  for (const batch of heldOut) {
    await turn(signal);
    const { loss, count, gained } = await learner.measure(batch);
    sum.loss += loss;
    sum.count += count;
    sum.gained += gained;
  }
  const heldOutLoss = sum.loss / sum.count;
  if (!Number.isFinite(heldOutLoss)) throw store.diverged("held-out loss", step, heldOutLoss);
  return { type: "eval", step, heldOutLoss, ...(config.method === "dpo" ? { accuracy: sum.gained / sum.count } : {}) };
}

/** Others of this thread go on, and who gives up is heard. */
async function turn(signal: AbortSignal): Promise<void> {
  await macrotask();
  signal.throwIfAborted();
}
