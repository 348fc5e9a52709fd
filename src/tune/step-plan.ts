import type { Backend } from "../backend/backend.js";
import { PAGE_ROWS, type StepPlan } from "../backend/kv.js";
import type { Tensor } from "../backend/tensor.js";
import { GemmaError } from "../base/errors.js";
import type { Sample } from "./sample.js";

export interface StepLimits {
  /** Rows of a step at most: tokens of its samples, all together. */
  readonly maxRows: number;
  /** Samples of a step at most. */
  readonly maxSamples: number;
  /** Tokens of a sample at most. */
  readonly maxLength: number;
}

/** A step over whole samples, one sequence each. */
export interface TrainingPlan {
  readonly plan: StepPlan;
  readonly rows: number; //        T
  readonly targets: Tensor; //     i32 [R], token that each output row is to predict
  readonly weights: Tensor; //     f32 [R], of each output row's loss
  readonly targetRows: Tensor; //  i32 [R], 0, 1 … R - 1
  /** Of each sample: its output rows. */
  readonly spans: readonly { readonly first: number; readonly count: number }[];
}

/** Pages that any step within the limits needs, in each group. */
export function pagesFor({ maxRows, maxSamples }: StepLimits): number {
  return Math.ceil(maxRows / PAGE_ROWS) + maxSamples;
}

/**
 * Turns samples into steps. Its tensors are made once, for the largest step. Padding does not exist: rows of samples lie one
 * behind the other, and attention stays within a sample. Rows whose final state is looked at are those that predict a target;
 * tokens behind a sample's last target are no rows at all.
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
    this.pageTable = be.tensor("i32", [limits.maxSamples, this.blocks]);
  }

  /**
   * The plan of a step, valid until the next one.
   * @param weightOf weight of the loss of each target of sample i
   * @throws ERR_LIMIT_EXCEEDED for a step beyond the limits, ERR_INVALID_VALUE for one without a target
   */
  plan(samples: readonly Sample[], weightOf: (sample: number) => number): TrainingPlan {
    const rows = { ids: [] as number[], positions: [] as number[], sequences: [] as number[] };
    const outputs = { rows: [] as number[], targets: [] as number[], weights: [] as number[] };
    const spans: { first: number; count: number }[] = [];
    const pages = new Int32Array(samples.length * this.blocks).fill(-1);
    let page = 0;
    for (const [s, { ids, isTarget }] of samples.entries()) {
      const end = Math.max(0, isTarget.lastIndexOf(true)); // rows of the sample: each predicts the token behind it
      if (end > this.limits.maxLength) throw tooLarge("tokens of a sample", this.limits.maxLength, end);
      const first = outputs.rows.length;
      for (let i = 0; i < end; i++) {
        if (isTarget[i + 1]) {
          outputs.rows.push(rows.ids.length);
          outputs.targets.push(ids[i + 1]!);
          outputs.weights.push(weightOf(s));
        }
        rows.ids.push(ids[i]!);
        rows.positions.push(i);
        rows.sequences.push(s);
      }
      spans.push({ first, count: outputs.rows.length - first });
      for (let block = 0; block * PAGE_ROWS < end; block++) pages[s * this.blocks + block] = page++;
    }
    const { maxRows, maxSamples } = this.limits;
    if (rows.ids.length > maxRows) throw tooLarge("rows", maxRows, rows.ids.length);
    if (samples.length > maxSamples) throw tooLarge("samples", maxSamples, samples.length);
    if (outputs.rows.length === 0) {
      throw new GemmaError("ERR_INVALID_VALUE", "tune: a step must have a token to predict, got none");
    }

    const ofOutputs = (values: readonly number[]) => outputs.rows.map((row) => values[row]!);
    const columns = [
      rows.ids,
      rows.positions,
      rows.sequences,
      outputs.rows,
      ofOutputs(rows.positions),
      ofOutputs(rows.sequences),
      outputs.targets,
      outputs.rows.map((_, r) => r),
    ].map((values, i) => this.upload(this.ints[i]!, Int32Array.from(values)));
    const [ids, positions, sequences, outputRows, outputPositions, outputSequences, targets, targetRows] = columns;
    this.be.write(this.pageTable, pages);
    const pageTables = Array.from({ length: this.groups }, () => this.pageTable);
    return {
      plan: {
        ids: ids!,
        positions: positions!,
        sequences: sequences!,
        pageTables,
        outputRows: outputRows!,
        outputs: { positions: outputPositions!, sequences: outputSequences!, pageTables },
      },
      rows: rows.ids.length,
      targets: targets!,
      weights: this.upload(this.weights, Float32Array.from(outputs.weights)),
      targetRows: targetRows!,
      spans,
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

function tooLarge(what: string, limit: number, got: number): GemmaError {
  return new GemmaError("ERR_LIMIT_EXCEEDED", `tune: ${what} in a step must be at most ${limit}, got ${got}`);
}
