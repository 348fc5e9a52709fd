import type { Backend } from "../backend/backend.js";
import { type KvCache, PAGE_ROWS, type StepPlan } from "../backend/kv.js";
import type { SampleRow } from "../backend/ops/sample.js";
import type { ScoreIdsOutput } from "../backend/ops/score-ids.js";
import type { Tensor } from "../backend/tensor.js";
import { type StepLora, stepLora } from "../model/adapter.js";
import type { GemmaConfig } from "../model/config.js";
import { chooseIds, forward, type GemmaScratch, type GemmaWeights, head, scoreIds } from "../model/gemma.js";
import { ScratchPool } from "../model/scratch.js";
import type { Job } from "./job.js";

/** Rows whose logits are computed at once: R rows take R * V * 4 bytes, 1 MB each. */
export const HEAD_ROWS = 16;

/** Rows whose ids are chosen at once: those that sample keep logits for that time. */
export const CHOSEN_ROWS = 32;

/** What a step takes from a job. */
export type StepJob = Pick<Job, "tokens" | "pages" | "adapter">;

/** Positions [start, start + count) of one job, to be computed in this step. */
export interface Span<J extends StepJob = Job> {
  readonly job: J;
  readonly start: number;
  readonly count: number;
  /** Guesses behind the job's tokens: what the last rows compute, for nothing where they are wrong. */
  readonly draft: readonly number[];
}

export interface StepLimits {
  readonly maxRows: number; // T at most
  readonly maxSequences: number; // S at most
  readonly contextLength: number;
}

/** Thrown out of a step whose every job has been cancelled. */
export class StepAborted extends Error {}

/** Turns spans into a StepPlan and runs the model on it. Its tensors are made once, for the largest step. */
export class StepRunner {
  private readonly scratch: ScratchPool;
  private readonly ids: Tensor;
  private readonly positions: Tensor;
  private readonly sequences: Tensor;
  private readonly outputRows: Tensor;
  private readonly outputPositions: Tensor;
  private readonly outputSequences: Tensor;
  private readonly pageTables: Tensor[]; // one a group, [S, P]
  private readonly views = new Map<string, Tensor>();
  private readonly blocks: number; // P
  private current: GemmaScratch | null = null;

  constructor(
    readonly be: Backend,
    readonly config: GemmaConfig,
    private readonly weights: GemmaWeights,
    private readonly cache: KvCache,
    readonly limits: StepLimits,
  ) {
    const { maxRows, maxSequences, contextLength } = limits;
    this.blocks = Math.ceil(contextLength / PAGE_ROWS);
    this.scratch = new ScratchPool(be, config, maxRows, maxRows, HEAD_ROWS);
    this.ids = be.tensor("i32", [maxRows]);
    this.positions = be.tensor("i32", [maxRows]);
    this.sequences = be.tensor("i32", [maxRows]);
    this.outputRows = be.tensor("i32", [maxRows]);
    this.outputPositions = be.tensor("i32", [maxRows]);
    this.outputSequences = be.tensor("i32", [maxRows]);
    this.pageTables = cache.layout.groupPages.map(() => be.tensor("i32", [maxSequences, this.blocks]));
  }

  /**
   * Computes the spans; `outputs` are the step's row numbers whose final hidden states are kept, those of a span in
   * ascending order and adjacent. Spans with the same adapter must be adjacent.
   * @throws StepAborted when `aborted` says so between two layers
   */
  run(spans: readonly Span<StepJob>[], outputs: readonly number[], aborted: () => boolean): void {
    const plan = this.upload(spans, outputs);
    const s = this.scratch.take(plan.ids.shape[0]!, outputs.length);
    this.current = s;
    const lora = loraOf(spans, outputs, this.config.numHiddenLayers);
    forward(this.be, this.config, this.weights, s, this.cache, plan, lora, () => {
      if (aborted()) throw new StepAborted();
    });
  }

  /** Logits of `count` output rows from `first` on, [count, V]; valid until the next call. count <= HEAD_ROWS. */
  logits(first: number, count: number): Tensor {
    const s = this.scratch.takeHead(this.current!, first, count);
    head(this.be, this.config, this.weights, s);
    return s.logits;
  }

  /** Chooses an id for each of `out`'s rows, which are output rows from `first` on; see chooseIds. */
  choose(first: number, out: Tensor, rows: readonly SampleRow[]): void {
    const s = this.scratch.takeHead(this.current!, first, rows.length);
    chooseIds(this.be, this.config, this.weights, s, out, rows);
  }

  /** Log-probabilities of ids in some of the `count` output rows from `first` on; see scoreIds. */
  score(first: number, count: number, out: ScoreIdsOutput, rows: Tensor, ids: Tensor): void {
    const s = this.scratch.takeHead(this.current!, first, count);
    scoreIds(this.be, this.config, this.weights, s, out, rows, ids);
  }

  /** Final hidden states of `count` output rows from `first` on, [count, D]. */
  hidden(first: number, count: number): Promise<Float32Array> {
    const rows = this.scratch.takeHead(this.current!, first, count);
    return this.be.read(rows.last) as Promise<Float32Array>;
  }

  private upload(spans: readonly Span<StepJob>[], outputs: readonly number[]): StepPlan {
    const rows = spans.reduce((sum, span) => sum + span.count, 0);
    const ids = new Int32Array(rows);
    const positions = new Int32Array(rows);
    const sequences = new Int32Array(rows);
    let row = 0;
    for (const [index, { job, start, count, draft }] of spans.entries()) {
      for (let position = start; position < start + count; position++, row++) {
        ids[row] = job.tokens[position] ?? draft[position - job.tokens.length]!;
        positions[row] = position;
        sequences[row] = index;
      }
    }
    const { be } = this;
    be.write(this.ids, ids);
    be.write(this.positions, positions);
    be.write(this.sequences, sequences);
    if (outputs.length > 0) {
      be.write(this.outputRows, Int32Array.from(outputs));
      be.write(
        this.outputPositions,
        Int32Array.from(outputs, (row) => positions[row]!),
      );
      be.write(
        this.outputSequences,
        Int32Array.from(outputs, (row) => sequences[row]!),
      );
    }
    for (const [group, table] of this.pageTables.entries()) {
      const data = new Int32Array(spans.length * this.blocks).fill(-1);
      for (const [index, span] of spans.entries()) data.set(span.job.pages[group]!, index * this.blocks);
      be.write(table, data);
    }
    return {
      ids: this.firstRows("ids", this.ids, rows),
      positions: this.firstRows("positions", this.positions, rows),
      sequences: this.firstRows("sequences", this.sequences, rows),
      outputRows: this.firstRows("outputRows", this.outputRows, outputs.length),
      outputs: {
        positions: this.firstRows("outputPositions", this.outputPositions, outputs.length),
        sequences: this.firstRows("outputSequences", this.outputSequences, outputs.length),
        pageTables: this.pageTables,
      },
      pageTables: this.pageTables,
    };
  }

  private firstRows(name: string, tensor: Tensor, rows: number): Tensor {
    const key = `${name} ${rows}`;
    let view = this.views.get(key);
    if (!view) {
      view = this.be.view(tensor, [rows]);
      this.views.set(key, view);
    }
    return view;
  }
}

/** The adapters of the step's rows, null where no job has one. */
function loraOf(spans: readonly Span<StepJob>[], outputs: readonly number[], layers: number): StepLora | null {
  if (spans.every(({ job }) => !job.adapter)) return null;
  const adapters = spans.flatMap(({ job, count }) => Array.from({ length: count }, () => job.adapter ?? null));
  return stepLora(adapters, outputs, layers);
}
