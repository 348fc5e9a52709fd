import type { Sequence } from "./encode-examples.js";

/** The rows that a step computes: its sequences end to end, none of which sees another. */
export interface StepRows {
  readonly ids: Int32Array; // [T]
  /** From 0 in each sequence. */
  readonly positions: Int32Array; // [T]
  /** Sequence s is rows starts[s] to starts[s + 1]. */
  readonly starts: Int32Array; // [S + 1]
  /** The rows whose logits have a loss, and the id that each ought to predict. */
  readonly targetRows: Int32Array; // [R]
  readonly targetIds: Int32Array; // [R]
  /** Sequence s has the targets targetStarts[s] to targetStarts[s + 1]. */
  readonly targetStarts: Int32Array; // [S + 1]
}

/** Lays sequences out as rows. A sequence's last token is only predicted: it has no row. */
export function stepRows(sequences: readonly Sequence[]): StepRows {
  const rows = sequences.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  const targets = sequences.reduce((sum, sequence) => sum + sequence.targets, 0);
  const ids = new Int32Array(rows);
  const positions = new Int32Array(rows);
  const starts = new Int32Array(sequences.length + 1);
  const targetRows = new Int32Array(targets);
  const targetIds = new Int32Array(targets);
  const targetStarts = new Int32Array(sequences.length + 1);
  let [row, target] = [0, 0];
  for (const [s, sequence] of sequences.entries()) {
    for (let t = 0; t + 1 < sequence.ids.length; t++, row++) {
      ids[row] = sequence.ids[t]!;
      positions[row] = t;
      if (sequence.isTarget[t + 1] === 0) continue;
      targetRows[target] = row;
      targetIds[target++] = sequence.ids[t + 1]!;
    }
    starts[s + 1] = row;
    targetStarts[s + 1] = target;
  }
  return { ids, positions, starts, targetRows, targetIds, targetStarts };
}
