import { GemmaError } from "../../base/errors.js";
import type { EncodedExample } from "../data/encode-examples.js";
import { type EpochOptions, planEpoch, type Step } from "../data/plan-epoch.js";
import type { StepLimits } from "../step-plan.js";
import type { TuneConfig } from "./config.js";

const DEFAULT_EPOCHS = 3;

/** The examples of one step of the optimizer, in micro-batches. */
export interface Update {
  /** From 1. */
  readonly epoch: number;
  readonly batches: readonly (readonly EncodedExample[])[];
}

/** Which examples each step takes: a function of the configuration and the data alone. */
export class RunPlan {
  readonly steps: number;
  readonly epochs: number;
  /** Tokens of one epoch. */
  readonly tokens: number;
  private readonly lengths: Int32Array;
  private readonly options: EpochOptions;
  private readonly firstSteps: number[] = []; // of each epoch
  private current: { readonly epoch: number; readonly updates: readonly (readonly Step[])[] } | null = null;

  /** @throws ERR_RANGE for an example that is longer than a micro-batch */
  constructor(
    private readonly examples: readonly EncodedExample[],
    config: TuneConfig,
  ) {
    this.lengths = Int32Array.from(examples, tokensOf);
    this.tokens = this.lengths.reduce((sum, length) => sum + length, 0);
    this.options = { step: batchRule(config), accumulate: config.accumulate, seed: config.seed };
    const mostSteps = config.maxSteps ?? Number.POSITIVE_INFINITY;
    const mostEpochs = config.epochs ?? (config.maxSteps === undefined ? DEFAULT_EPOCHS : Number.POSITIVE_INFINITY);
    let steps = 0;
    while (this.firstSteps.length < mostEpochs && steps < mostSteps) {
      const updates = this.updatesOf(this.firstSteps.length);
      this.firstSteps.push(steps + 1);
      steps += updates.length;
    }
    this.epochs = this.firstSteps.length;
    this.steps = Math.min(steps, mostSteps);
  }

  /** @param step from 1 */
  update(step: number): Update {
    const epoch = this.firstSteps.findLastIndex((first) => first <= step);
    const batches = this.updatesOf(epoch)[step - this.firstSteps[epoch]!];
    if (batches === undefined || step > this.steps) {
      throw new GemmaError("ERR_RANGE", `plan: steps must be from 1 to ${this.steps}, got ${step}`);
    }
    return { epoch: epoch + 1, batches: batches.map((batch) => batch.map((index) => this.examples[index]!)) };
  }

  /** What the largest micro-batch takes, of this plan and of `others`. */
  limits(others: readonly (readonly EncodedExample[])[]): StepLimits {
    const limits = { maxRows: 1, maxSequences: 1, maxLength: 1 };
    const include = (batch: readonly EncodedExample[]) => {
      const rows = batch.flatMap(({ sequences }) => sequences.map(({ ids }) => ids.length - 1));
      limits.maxRows = Math.max(
        limits.maxRows,
        rows.reduce((sum, count) => sum + count, 0),
      );
      limits.maxSequences = Math.max(limits.maxSequences, rows.length);
      for (const count of rows) limits.maxLength = Math.max(limits.maxLength, count);
    };
    for (let step = 1; step <= this.steps; step++) for (const batch of this.update(step).batches) include(batch);
    for (const batch of others) include(batch);
    return limits;
  }

  private updatesOf(epoch: number): readonly (readonly Step[])[] {
    if (this.current?.epoch !== epoch) {
      this.current = { epoch, updates: planEpoch(this.lengths, epoch, this.options) };
    }
    return this.current.updates;
  }
}

/** Micro-batches of examples that are only measured, in their own order but for what packing does. */
export function measuredBatches(
  examples: readonly EncodedExample[],
  config: TuneConfig,
): readonly (readonly EncodedExample[])[] {
  const updates = planEpoch(Int32Array.from(examples, tokensOf), 0, { step: batchRule(config), seed: config.seed });
  return updates.flat().map((batch) => batch.map((index) => examples[index]!));
}

export function tokensOf({ sequences }: EncodedExample): number {
  return sequences.reduce((sum, { ids }) => sum + ids.length, 0);
}

export function targetsOf({ sequences }: EncodedExample): number {
  return sequences.reduce((sum, { targets }) => sum + targets, 0);
}

function batchRule({ batchTokens, batchExamples }: TuneConfig): EpochOptions["step"] {
  return batchExamples === undefined ? { tokens: batchTokens! } : { examples: batchExamples };
}
