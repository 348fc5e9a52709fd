import type { Backend } from "../backend/backend.js";
import { PAGE_ROWS, type StepPlan } from "../backend/kv.js";
import type { Tensor } from "../backend/tensor.js";
import { GemmaError } from "../base/errors.js";
import type { Sequence } from "./data/encode-examples.js";
import { stepRows } from "./data/step-rows.js";

export interface StepLimits {
  /** Rows of a step at most: tokens of its sequences but their last ones, all together. */
  readonly maxRows: number;
  readonly maxSequences: number;
  /** Rows of a sequence at most. */
  readonly maxLength: number;
}

/** A step over whole sequences. */
export interface TrainingPlan {
  readonly plan: StepPlan;
  readonly rows: number; //        T
  readonly targets: Tensor; //     i32 [R], token that each output row is to predict
  readonly weights: Tensor; //     f32 [R], of each output row's loss
  readonly targetRows: Tensor; //  i32 [R], 0, 1 … R - 1
  /** Of each sequence: its output rows. */
  readonly spans: readonly { readonly first: number; readonly count: number }[];
}

/** Pages that any step within the limits needs, in each group. */
export function pagesFor({ maxRows, maxSequences }: StepLimits): number {
  return Math.ceil(maxRows / PAGE_ROWS) + maxSequences;
}

/**
 * Turns sequences into steps. Its tensors are made once, for the largest step. Padding does not exist: rows lie one behind the
 * other, and attention stays within a sequence. The rows whose final state is looked at are those that predict a target.
 */
export class StepPlanner {
  private readonly ints: readonly Tensor[];
  private readonly weights: Tensor;
  private readonly pageTable: Tensor; // [S, P], of every group
  private readonly blocks: number; // P

  constructor(
    private readonly be: Backend,
    private readonly limits: StepLimits,
    private readonly groups: number,
  ) {
    this.blocks = Math.ceil(limits.maxLength / PAGE_ROWS);
    this.ints = Array.from({ length: 8 }, () => be.tensor("i32", [limits.maxRows]));
    this.weights = be.tensor("f32", [limits.maxRows]);
    this.pageTable = be.tensor("i32", [limits.maxSequences, this.blocks]);
  }

  /**
   * The plan of a step, valid until the next one.
   * @param weight of the loss of each target
   * @throws ERR_LIMIT_EXCEEDED for a step beyond the limits, ERR_INVALID_VALUE for one without a target
   */
  plan(sequences: readonly Sequence[], weight: number): TrainingPlan {
    const { maxRows, maxSequences, maxLength } = this.limits;
    const rows = stepRows(sequences);
    const lengths = sequences.map((_, s) => rows.starts[s + 1]! - rows.starts[s]!);
    expectAtMost("rows", rows.ids.length, maxRows);
    expectAtMost("sequences", sequences.length, maxSequences);
    expectAtMost("rows of a sequence", Math.max(0, ...lengths), maxLength);
    if (rows.targetIds.length === 0) {
      throw new GemmaError("ERR_INVALID_VALUE", "tune: a step must have a token to predict, got none");
    }

    const sequenceOf = Int32Array.from(lengths.flatMap((length, s) => Array<number>(length).fill(s)));
    const ofOutputs = (values: Int32Array) => rows.targetRows.map((row) => values[row]!);
    const pages = new Int32Array(sequences.length * this.blocks).fill(-1);
    let page = 0;
    for (const [s, length] of lengths.entries()) {
      for (let block = 0; block * PAGE_ROWS < length; block++) pages[s * this.blocks + block] = page++;
    }
    const columns = [
      rows.ids,
      rows.positions,
      sequenceOf,
      rows.targetRows,
      ofOutputs(rows.positions),
      ofOutputs(sequenceOf),
      rows.targetIds,
      rows.targetIds.map((_, r) => r),
    ].map((values, i) => this.upload(this.ints[i]!, values));
    const [ids, positions, sequenceColumn, outputRows, outputPositions, outputSequences, targets, targetRows] = columns;
    this.be.write(this.pageTable, pages);
    const pageTables = Array.from({ length: this.groups }, () => this.pageTable);
    return {
      plan: {
        ids: ids!,
        positions: positions!,
        sequences: sequenceColumn!,
        pageTables,
        outputRows: outputRows!,
        outputs: { positions: outputPositions!, sequences: outputSequences!, pageTables },
      },
      rows: rows.ids.length,
      targets: targets!,
      weights: this.upload(this.weights, new Float32Array(rows.targetIds.length).fill(weight)),
      targetRows: targetRows!,
      spans: sequences.map((_, s) => {
        const first = rows.targetStarts[s]!;
        return { first, count: rows.targetStarts[s + 1]! - first };
      }),
    };
  }

  free(): void {
    for (const tensor of [...this.ints, this.weights, this.pageTable]) this.be.free(tensor);
  }

  private upload(tensor: Tensor, values: Int32Array | Float32Array): Tensor {
    this.be.write(tensor, values);
    return this.be.view(tensor, [values.length]);
  }
}

function expectAtMost(what: string, got: number, limit: number): void {
  if (got <= limit) return;
  throw new GemmaError("ERR_LIMIT_EXCEEDED", `tune: ${what} in a step must be at most ${limit}, got ${got}`);
}
