import type { TrainState } from "./checkpoint.js";
import type { Costs } from "./meter.js";
import type { Metric } from "./outcome.js";

/** Where the steps of a run leave what they tell, and what a run needs to go on. */
export interface RunStore {
  /** What messages call it. */
  readonly path: string;
  /** The newest whole checkpoint's state, on the backend. @returns the step that it is behind; 0: there is none */
  restore(state: TrainState, damaged: (why: string) => void): Promise<number>;
  /** What the run had cost behind a step. */
  costs(step: number): Costs;
  /** Whether the held-out loss behind a step is known. */
  isMeasured(step: number): boolean;
  record<M extends Metric>(metric: M): M;
  /** Keeps the state behind a step, and the `keep` newest of all. @returns null where nothing is kept */
  save(state: TrainState, step: number, keep: number): Promise<{ readonly path: string } | null>;
  /** The error of a loss or gradient that is no number. */
  diverged(what: string, step: number, value: number): Error;
  /** Adds to an error what is left, and how to go on. */
  explain(error: unknown): unknown;
}
