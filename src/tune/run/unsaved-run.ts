import type { GemmaError } from "../../base/errors.js";
import type { Costs } from "./meter.js";
import { costsBehind, divergedError, heldOutLossBehind, type Metric, outcomeOf } from "./outcome.js";
import type { RunStore } from "./run-store.js";

/** A run that lives in memory alone: nobody can go on with it. */
export class UnsavedRun implements RunStore {
  private readonly metrics: Metric[] = [];

  constructor(readonly path: string) {}

  async restore(): Promise<number> {
    return 0;
  }

  costs(step: number): Costs {
    return costsBehind(this.metrics, step);
  }

  isMeasured(step: number): boolean {
    return heldOutLossBehind(this.metrics, step) !== undefined;
  }

  record<M extends Metric>(metric: M): M {
    this.metrics.push(metric);
    return metric;
  }

  async save(): Promise<null> {
    return null;
  }

  diverged(what: string, step: number, value: number): GemmaError {
    return divergedError(this.path, what, step, value);
  }

  explain(error: unknown): unknown {
    return error;
  }

  /** What the steps have come to. */
  outcome(steps: number): ReturnType<typeof outcomeOf> {
    return outcomeOf(this.metrics, steps);
  }
}
