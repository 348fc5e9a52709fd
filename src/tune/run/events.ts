import type { LengthReport } from "../data/lengths.js";
import type { Duplicates } from "../data/split.js";
import type { TuneMethod } from "./config.js";
import type { TuneMemory } from "./memory.js";
import type { Costs } from "./meter.js";

/** What the data are, before anything is allocated. */
export interface DataEvent {
  readonly type: "data";
  readonly lengths: LengthReport;
  /** null: nothing is held out. */
  readonly heldOut: LengthReport | null;
  readonly duplicates: Duplicates;
  /** Held-out examples, where they were given, that are learned, too: a loss on these says little. */
  readonly learnedHeldOut: number;
}

/** What the run will do and take, before anything is allocated. */
export interface PlanEvent {
  readonly type: "plan";
  readonly method: TuneMethod;
  readonly examples: number;
  /** Of one epoch. */
  readonly tokens: number;
  readonly heldOut: number;
  readonly epochs: number;
  readonly steps: number;
  readonly trainableParameters: number;
  readonly memory: TuneMemory;
  /** Whether the insides of blocks are computed anew, rather than kept. */
  readonly activationCheckpoints: boolean;
}

/** A step is done: the weights have changed. Costs are those of the run so far. */
export interface StepEvent extends Costs {
  readonly type: "step";
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  /** From 1. */
  readonly epoch: number;
  /** Mean over the learned tokens, or over the pairs, of this step, in nats. */
  readonly loss: number;
  /** Before it is clipped. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Of this step. */
  readonly tokensPerSecond: number;
  /** Of the whole run, by the pace of late. */
  readonly secondsLeft: number;
}

/** The held-out examples were measured behind a step; 0: before the first. */
export interface EvalEvent {
  readonly type: "eval";
  readonly step: number;
  /** Mean over the learned tokens, or over the pairs, in nats. */
  readonly heldOutLoss: number;
  /** Share of the pairs whose chosen answer has gained on the rejected one; of preferences alone. */
  readonly accuracy?: number;
}

export interface CheckpointEvent {
  readonly type: "checkpoint";
  readonly step: number;
  readonly path: string;
}

/** For people: which backend was chosen, that a damaged checkpoint was passed over. */
export interface NoteEvent {
  readonly type: "note";
  readonly text: string;
}

export interface EndEvent extends TuneResult {
  readonly type: "end";
}

/** What a finished run gives. */
export interface TuneResult {
  /** The folder of the adapter, or of the whole model. */
  readonly path: string;
  readonly method: TuneMethod;
  readonly steps: number;
  /** Of the last step. */
  readonly loss: number;
  /** Held-out losses before the first step and behind the last; null: nothing was held out. */
  readonly heldOut: { readonly before: number; readonly after: number } | null;
  readonly costs: Costs;
}

export type { Costs as TuneCosts } from "./meter.js";

export type TuneEvent = DataEvent | PlanEvent | StepEvent | EvalEvent | CheckpointEvent | NoteEvent | EndEvent;
