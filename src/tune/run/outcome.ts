import { GemmaError } from "../../base/errors.js";
import type { EvalEvent, StepEvent, TuneResult } from "./events.js";
import { type Costs, NO_COSTS } from "./meter.js";

/** What a run tells of a step, or of a measurement behind it. */
export type Metric = StepEvent | EvalEvent;

/** What the run had cost behind a step. */
export function costsBehind(metrics: readonly Metric[], step: number): Costs {
  const { tokens, targets, examples, seconds, peakBytes } = stepMetric(metrics, step) ?? NO_COSTS;
  return { tokens, targets, examples, seconds, peakBytes };
}

/** undefined: it was not measured. */
export function heldOutLossBehind(metrics: readonly Metric[], step: number): number | undefined {
  const isIt = (metric: Metric) => metric.type === "eval" && metric.step === step;
  return metrics.find((metric): metric is EvalEvent => isIt(metric))?.heldOutLoss;
}

/** What all steps of a run came to. */
export function outcomeOf(
  metrics: readonly Metric[],
  steps: number,
): Pick<TuneResult, "steps" | "loss" | "heldOut" | "costs"> {
  const [before, after] = [heldOutLossBehind(metrics, 0), heldOutLossBehind(metrics, steps)];
  return {
    ...{ steps, loss: stepMetric(metrics, steps)?.loss ?? Number.NaN, costs: costsBehind(metrics, steps) },
    heldOut: before === undefined || after === undefined ? null : { before, after },
  };
}

/** The error of a loss or gradient that is no number. @param left what there is of the run, for the hint */
export function divergedError(path: string, what: string, step: number, value: number, left = ""): GemmaError {
  return new GemmaError("ERR_DIVERGED", `${path}: the ${what} of step ${step} must be a number, got ${value}`, {
    hint: `${left}begin another run, with a smaller learning rate, a longer warm-up, or a smaller clipNorm`,
  });
}

function stepMetric(metrics: readonly Metric[], step: number): StepEvent | undefined {
  return metrics.find((metric): metric is StepEvent => metric.type === "step" && metric.step === step);
}
