import type { TrainingOps } from "../../backend/backend.js";
import type { RowPlaces } from "../../backend/ops/attention-backward.js";
import { GemmaError } from "../../base/errors.js";
import { largestDivisor } from "./attention-ops.js";
import { Gradients } from "./gradients.js";
import { K_ATTENTION_BACKWARD_KEYS, K_ATTENTION_BACKWARD_QUERIES } from "./layout.js";
import { f32Bits, type Machine } from "./machine.js";
import { MAX_HEAD_DIM, ownTensor } from "./memory.js";

const TILE = 16; // rows × heads of queries, and keys
const TILE_HEADS = 8;

interface Places {
  readonly positions: Int32Array;
  readonly sequences: Int32Array;
}

export function attentionBackwardOps(machine: Machine): Pick<TrainingOps, "attentionBackward"> {
  const gradients = new Gradients(machine);
  const placesOf = ({ positions, sequences }: RowPlaces): Places => {
    const count = positions.shape[0]!;
    return {
      positions: machine.integers(ownTensor(machine, positions).address, count),
      sequences: machine.integers(ownTensor(machine, sequences).address, count),
    };
  };
  const store = (purpose: string, words: readonly number[]): number => {
    const address = machine.buffer(purpose, 4 * words.length);
    machine.integers(address, words.length).set(words);
    return address;
  };

  return {
    attentionBackward(out, dOut, q, k, v, queries, keys, { headDim, scale, softCap, window }) {
      if (headDim > MAX_HEAD_DIM) {
        throw new GemmaError("ERR_RANGE", `attentionBackward: headDim must be at most ${MAX_HEAD_DIM}, got ${headDim}`);
      }
      const [rows, heads] = [q.shape[0]!, q.shape[1]! / headDim];
      const kvHeads = k.shape[1]! / headDim;
      const tileHeads = largestDivisor(heads / kvHeads, TILE_HEADS);
      const states = machine.buffer("attention states", 16 * rows * heads);
      const [queryPlaces, keyPlaces] = [placesOf(queries), placesOf(keys)];
      const reach = window ?? Number.POSITIVE_INFINITY;
      const seenKeys = blocksOf(queryPlaces, Math.floor(TILE / tileHeads), keyPlaces, 1 - reach, 0);
      const seeingQueries = blocksOf(keyPlaces, TILE, queryPlaces, 0, reach - 1);

      for (const tensor of [out.dk, out.dv]) gradients.clear(ownTensor(machine, tensor));
      const tensors = [out.dq, out.dk, out.dv, dOut, q, k, v, queries.positions, keys.positions];
      const addresses = tensors.map((tensor) => ownTensor(machine, tensor).address);
      const options = [heads, kvHeads, headDim, f32Bits(scale), f32Bits(softCap ?? 0), window ?? 0, states];
      const args = [...addresses, ...options];
      const queryBlocks = [...args, store("query blocks", seenKeys), tileHeads];
      machine.run(K_ATTENTION_BACKWARD_QUERIES, (seenKeys.length / 4) * (heads / tileHeads), 1, queryBlocks);
      const keyBlocks = [...args, store("key blocks", seeingQueries), tileHeads];
      machine.run(K_ATTENTION_BACKWARD_KEYS, (seeingQueries.length / 4) * kvHeads, 1, keyBlocks);
    },
  };
}

/**
 * Cuts rows into blocks of at most `most`, each of one sequence: first row, rows, and of the other side's rows the first of
 * that sequence at position + low or behind, and the first beyond position + high.
 */
function blocksOf(rows: Places, most: number, others: Places, low: number, high: number): number[] {
  const blocks: number[] = [];
  const ranges = rangesOf(others.sequences);
  for (let row = 0; row < rows.positions.length; ) {
    const sequence = rows.sequences[row]!;
    let end = row + 1;
    while (end < rows.positions.length && end - row < most && rows.sequences[end] === sequence) end++;
    let [first, last] = ranges.get(sequence) ?? [0, 0];
    while (first < last && others.positions[first]! < rows.positions[row]! + low) first++;
    while (last > first && others.positions[last - 1]! > rows.positions[end - 1]! + high) last--;
    blocks.push(row, end - row, first, last);
    row = end;
  }
  return blocks;
}

/** The rows of each sequence, which are adjacent: the first, and the one behind. */
function rangesOf(sequences: Int32Array): Map<number, [number, number]> {
  const ranges = new Map<number, [number, number]>();
  for (const [row, sequence] of sequences.entries()) {
    const range = ranges.get(sequence);
    if (range === undefined) ranges.set(sequence, [row, row + 1]);
    else range[1] = row + 1;
  }
  return ranges;
}
