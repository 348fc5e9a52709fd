import type { StoredDtype } from "../../base/dtype.js";
import { PLAIN_ROW, type SampleRow } from "../ops/sample.js";
import type { Tensor } from "../tensor.js";
import { randomValues } from "./case-tensors.js";
import { type InvarianceCase, rowsOfTensor } from "./invariance-case.js";
import { randomStoredWeight } from "./stored-weight.js";

// Cases of what is done with the head and its logits.

export function logProbsCase(rows: number, vocabulary: number): InvarianceCase {
  return {
    name: "logProbs",
    rows,
    prepare(be, tensors, rng) {
      const logits = tensors.input([rows, vocabulary], randomValues(rng, rows * vocabulary));
      const targets = tensors.input(
        [rows],
        Int32Array.from({ length: rows }, () => rng.integer(vocabulary)),
      );
      const logProbs = tensors.output("f32", [rows]);
      const topIds = tensors.output("i32", [rows, 20]);
      const topLogProbs = tensors.output("f32", [rows, 20]);
      return {
        outputs: [logProbs, topIds, topLogProbs],
        run(start, count) {
          const part = (tensor: Tensor) => rowsOfTensor(be, tensor, start, count);
          const out = { logProbs: part(logProbs), topIds: part(topIds), topLogProbs: part(topLogProbs) };
          be.logProbs(out, part(logits), part(targets));
        },
      };
    },
  };
}

export function scoreIdsCase(dtype: StoredDtype, rows: number, vocabulary: number, width: number): InvarianceCase {
  return {
    name: `scoreIds ${dtype}`,
    rows,
    prepare(be, tensors, rng) {
      const head = be.weight(randomStoredWeight(dtype, [vocabulary, width], rng), { screened: true });
      const x = tensors.input([rows, width], randomValues(rng, rows * width));
      const ids = tensors.input(
        [rows],
        Int32Array.from({ length: rows }, () => rng.integer(vocabulary)),
      );
      const ownRows = tensors.input(
        [rows],
        Int32Array.from({ length: rows }, (_, row) => row),
      );
      const logProbs = tensors.output("f32", [rows]);
      const topIds = tensors.output("i32", [rows]);
      const topLogProbs = tensors.output("f32", [rows]);
      return {
        outputs: [logProbs, topIds, topLogProbs],
        run(start, count) {
          const part = (tensor: Tensor) => rowsOfTensor(be, tensor, start, count);
          const out = { logProbs: part(logProbs), topIds: part(topIds), topLogProbs: part(topLogProbs) };
          be.scoreIds(out, part(x), head, 30, rowsOfTensor(be, ownRows, 0, count), part(ids));
        },
      };
    },
  };
}

export function chooseIdsCase(dtype: StoredDtype, rows: number, vocabulary: number, width: number): InvarianceCase {
  return {
    name: `chooseIds ${dtype}`,
    rows,
    prepare(be, tensors, rng) {
      const head = be.weight(randomStoredWeight(dtype, [vocabulary, width], rng), { screened: true });
      const x = tensors.input([rows, width], randomValues(rng, rows * width));
      const settings = Array.from({ length: rows }, (_, row) => {
        const own = [{ temperature: 0 }, { topK: 64, topP: 0.95 }, { topK: 3 }][row % 3];
        return { ...PLAIN_ROW, ...own, seed: 7, index: row };
      });
      const out = tensors.output("i32", [rows]);
      return {
        outputs: [out],
        run(start, count) {
          const part = (tensor: Tensor) => rowsOfTensor(be, tensor, start, count);
          be.chooseIds(part(out), part(x), head, 30, settings.slice(start, start + count));
        },
      };
    },
  };
}

export function sampleCase(rows: number, vocabulary: number): InvarianceCase {
  return {
    name: "sample",
    rows,
    prepare(be, tensors, rng) {
      const logits = tensors.input([rows, vocabulary], randomValues(rng, rows * vocabulary));
      const out = tensors.output("i32", [rows]);
      const settings = Array.from(
        { length: rows },
        (_, t): SampleRow => ({
          ...PLAIN_ROW,
          penaltyIds: Int32Array.of(t),
          penaltyCounts: Int32Array.of(1),
          repetitionPenalty: 1.1,
          temperature: t % 3,
          topK: t % 2 === 0 ? 0 : 50,
          topP: t % 4 === 0 ? 1 : 0.9,
          seed: 7,
          index: t,
        }),
      );
      return {
        outputs: [out],
        run(start, count) {
          const part = (tensor: Tensor) => rowsOfTensor(be, tensor, start, count);
          be.sample(part(out), part(logits), settings.slice(start, start + count));
        },
      };
    },
  };
}
