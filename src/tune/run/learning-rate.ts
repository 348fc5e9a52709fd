export interface Schedule {
  readonly learningRate: number;
  readonly minLearningRate: number;
  readonly schedule: "cosine" | "linear" | "constant";
  readonly warmupSteps?: number | undefined;
  /** Of all steps; where warmupSteps does not tell. */
  readonly warmupShare?: number | undefined;
}

/**
 * The learning rate of a step. It rises by equal amounts in the warm-up, is highest in the step behind it, and falls
 * towards the minimum, which the step behind the last one would have.
 *
 * @param step  from 1
 * @param steps of the whole run
 */
export function learningRateAt(schedule: Schedule, step: number, steps: number): number {
  const { learningRate: most, minLearningRate: least } = schedule;
  const { warmupSteps, warmupShare = 0 } = schedule;
  const warmup = Math.min(warmupSteps ?? Math.round(warmupShare * steps), steps - 1);
  if (step <= warmup) return (most * step) / (warmup + 1);
  const done = (step - 1 - warmup) / (steps - warmup); // in [0, 1)
  switch (schedule.schedule) {
    case "cosine":
      return least + (most - least) * 0.5 * (1 + Math.cos(Math.PI * done));
    case "linear":
      return least + (most - least) * (1 - done);
    case "constant":
      return most;
    default:
      return schedule.schedule satisfies never;
  }
}
