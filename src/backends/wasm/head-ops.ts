import type { ForwardOps } from "../../backend/backend.js";
import { capLogits, LogitRow } from "./logits.js";
import type { Machine } from "./machine.js";
import { ownTensor, ownWeight, type WasmTensor, type WasmWeight } from "./memory.js";
import type { Products } from "./products.js";
import { sampleFrom, sampleRow } from "./sampling.js";
import { Screening } from "./screening.js";

const ROWS_AT_ONCE = 16; // whose logits there are at a time

type HeadOps = Pick<ForwardOps, "logProbs" | "sample" | "chooseIds" | "scoreIds">;

/** The head and what is done with its logits. */
export function headOps(machine: Machine, products: Products): HeadOps {
  const screening = new Screening(machine, products);
  const own = (tensor: Parameters<typeof ownTensor>[1]) => ownTensor(machine, tensor);

  /** Calls `use` with the address of each row's logits. */
  const eachRow = (x: WasmTensor, head: WasmWeight, cap: number | null, use: (r: number, logits: number) => void) => {
    const [rows, width] = [x.shape[0]!, x.shape[1]!];
    const vocabulary = head.shape[0];
    for (let first = 0; first < rows; first += ROWS_AT_ONCE) {
      const count = Math.min(rows - first, ROWS_AT_ONCE);
      const logits = machine.buffer("logits", 4 * count * vocabulary);
      products.runAt([logits], x.address + 4 * first * width, count, [head]);
      capLogits(machine, logits, count * vocabulary, cap);
      for (let r = 0; r < count; r++) use(first + r, logits + 4 * r * vocabulary);
    }
  };

  return {
    logProbs(out, logitsTensor, targetsTensor) {
      const logits = own(logitsTensor);
      const [rows, width] = [logits.shape[0]!, logits.shape[1]!];
      const n = out.topIds.shape[1]!;
      const [logProbs, topIds, topLogProbs] = [own(out.logProbs), own(out.topIds), own(out.topLogProbs)];
      const targets = own(targetsTensor);
      for (let r = 0; r < rows; r++) {
        const scores = new Scores(machine, logits.address + 4 * r * width, width);
        const target = machine.integers(targets.address, rows)[r]!;
        machine.floats(logProbs.address, rows)[r] = scores.of(target);
        const best = scores.best(n);
        machine.integers(topIds.address + 4 * r * n, n).set(best);
        machine.floats(topLogProbs.address + 4 * r * n, n).set(best.map((id) => scores.of(id)));
      }
    },

    sample(outTensor, logitsTensor, rows) {
      const [out, logits] = [own(outTensor), own(logitsTensor)];
      const width = logits.shape[1]!;
      for (const [r, row] of rows.entries()) {
        const id = sampleRow(machine, logits.address + 4 * r * width, width, row);
        machine.integers(out.address, rows.length)[r] = id;
      }
    },

    chooseIds(outTensor, xTensor, headWeight, softCap, rows) {
      const [out, x, head] = [own(outTensor), own(xTensor), ownWeight(machine, headWeight)];
      const [row] = rows;
      const best = rows.length === 1 ? screening.candidates(x.address, head, softCap, row!) : null;
      if (best !== null) {
        machine.integers(out.address, 1)[0] = sampleFrom(best, row!);
        return;
      }
      eachRow(x, head, softCap, (r, logits) => {
        const id = sampleRow(machine, logits, head.shape[0], rows[r]!);
        machine.integers(out.address, rows.length)[r] = id;
      });
    },

    scoreIds(out, xTensor, headWeight, softCap, rowsTensor, idsTensor) {
      const [x, head] = [own(xTensor), ownWeight(machine, headWeight)];
      const [logProbs, topIds, topLogProbs] = [own(out.logProbs), own(out.topIds), own(out.topLogProbs)];
      const [rows, ids] = [own(rowsTensor), own(idsTensor)];
      const [count, targets] = [x.shape[0]!, ids.shape[0]!];
      const wanted: number[][] = Array.from({ length: count }, () => []);
      const ofRows = machine.integers(rows.address, targets);
      for (let t = 0; t < targets; t++) wanted[ofRows[t]!]?.push(t);
      machine.floats(logProbs.address, targets).fill(Number.NaN);
      eachRow(x, head, softCap, (r, logits) => {
        const scores = new Scores(machine, logits, head.shape[0]);
        const found = machine.floats(logProbs.address, targets);
        const idsNow = machine.integers(ids.address, targets);
        for (const t of wanted[r]!) found[t] = scores.of(idsNow[t]!);
        const [top] = scores.best(1);
        machine.integers(topIds.address, count)[r] = top!;
        machine.floats(topLogProbs.address, count)[r] = scores.of(top!);
      });
    },
  };
}

/** Log-probabilities under one row of logits. */
class Scores {
  private readonly row: LogitRow;
  private readonly normaliser: number;

  constructor(
    machine: Machine,
    address: number,
    private readonly width: number,
  ) {
    this.row = new LogitRow(machine, address, width);
    this.normaliser = this.row.max + Math.log(this.row.sumOfWeights(1));
  }

  /** NaN where there is no such id. */
  of(id: number): number {
    return id >= 0 && id < this.width ? this.row.values[id]! - this.normaliser : Number.NaN;
  }

  /** The n most likely ids; those of minus infinity last. */
  best(n: number): number[] {
    const ids = this.row.best(n).map(({ id }) => id);
    for (let id = 0; ids.length < n; id++) if (!ids.includes(id)) ids.push(id);
    return ids;
  }
}
