import type { ForwardOps } from "../../backend/backend.js";
import type { LogProbsOutput } from "../../backend/ops/log-probs.js";
import type { SampleRow } from "../../backend/ops/sample.js";
import type { Gpu } from "./gpu.js";
import { multiply } from "./matmul.js";
import { type GpuTensor, type GpuWeight, ownTensor, ownWeight } from "./memory.js";
import { packRows } from "./sampling.js";

const LANES = 64;
const LIST = 1024; //         sample.wgsl
const STATS = 3; //           row-stats.wgsl: words a row
const MOST_LOGITS = 1 << 23; // that are kept at once by what chooses or scores ids: 32 MB

type HeadOps = Pick<ForwardOps, "softCap" | "logProbs" | "sample" | "chooseIds" | "scoreIds">;

/** What is done with the head and its logits. */
export function headOps(gpu: Gpu): HeadOps {
  const cap = (at: number, count: number, softCap: number) =>
    gpu.run({ name: "softCap" }, Math.ceil(count / LANES), [at, count], [softCap]);

  /** Draws the rows of [R, V] logits; `scratch` has room for scratchOf(V) words a row. */
  const draw = (out: number, logits: number, rows: readonly SampleRow[], V: number, scratch: number) => {
    const first = gpu.data((start) => packRows(rows, V, start));
    gpu.run({ name: "sample" }, rows.length, [out, logits, V, scratch, first], [], gpu.boundData);
  };
  const scratchOf = (V: number) => V + 2 * LIST;

  /** Logits of `rows` rows of x, and of what is theirs of `words` words a row behind them: a chunk at a time. */
  const chunks = (
    x: GpuTensor,
    head: GpuWeight,
    softCap: number | null,
    words: number,
    each: (first: number, count: number, logits: number, own: number) => void,
  ) => {
    const [rows, width] = x.shape as [number, number];
    const V = head.shape[0];
    const most = Math.max(1, Math.floor(MOST_LOGITS / V));
    const room = gpu.scratch(Math.min(rows, most) * (V + words));
    for (let first = 0; first < rows; first += most) {
      const count = Math.min(most, rows - first);
      multiply(gpu, { at: room }, { at: x.at + first * width, shape: [count, width] }, head);
      if (softCap !== null) cap(room, count * V, softCap);
      each(first, count, room, room + count * V);
    }
  };

  const writeLogProbs = (ints: readonly number[], count: number) =>
    gpu.run({ name: "logProbs" }, Math.ceil(count / LANES), ints);

  return {
    softCap(xTensor, softCap) {
      const x = ownTensor(gpu, xTensor);
      cap(x.at, x.shape[0]! * x.shape[1]!, softCap);
    },

    sample(outTensor, logitsTensor, rows) {
      const out = ownTensor(gpu, outTensor);
      const logits = ownTensor(gpu, logitsTensor);
      const V = logits.shape[1]!;
      draw(out.at, logits.at, rows, V, gpu.scratch(rows.length * scratchOf(V)));
    },

    chooseIds(outTensor, xTensor, headWeight, softCap, rows) {
      const out = ownTensor(gpu, outTensor);
      const head = ownWeight(gpu, headWeight);
      const V = head.shape[0];
      chunks(ownTensor(gpu, xTensor), head, softCap, scratchOf(V), (first, count, logits, own) => {
        draw(out.at + first, logits, rows.slice(first, first + count), V, own);
      });
    },

    logProbs(out: LogProbsOutput, logitsTensor, targetsTensor) {
      const logits = ownTensor(gpu, logitsTensor);
      const targets = ownTensor(gpu, targetsTensor);
      const [logProbs, topIds, top] = [out.logProbs, out.topIds, out.topLogProbs].map((each) => ownTensor(gpu, each));
      const [R, V] = logits.shape as [number, number];
      const n = out.topIds.shape[1]!;
      const stats = gpu.scratch(R * (STATS + 2 * n));
      gpu.run({ name: "rowStats" }, R, [logits.at, V, stats]);
      writeLogProbs([logProbs!.at, targets.at, 0, 0, R, logits.at, V, stats, 0, R], R);
      if (n === 0) return;
      gpu.run({ name: "topIds" }, R, [topIds!.at, top!.at, logits.at, V, n, stats, stats + STATS * R]);
    },

    scoreIds(out, xTensor, headWeight, softCap, rowsTensor, idsTensor) {
      const x = ownTensor(gpu, xTensor);
      const head = ownWeight(gpu, headWeight);
      const ids = ownTensor(gpu, idsTensor);
      const rows = ownTensor(gpu, rowsTensor);
      const [logProbs, topIds, top] = [out.logProbs, out.topIds, out.topLogProbs].map((each) => ownTensor(gpu, each));
      const V = head.shape[0];
      const n = ids.shape[0]!;
      const targets = [logProbs!.at, ids.at, rows.at, 1, n];
      if (x.shape[0] === 0) writeLogProbs([...targets, 0, V, 0, 0, 0], n);
      chunks(x, head, softCap, STATS, (first, count, logits, stats) => {
        gpu.run({ name: "rowStats" }, count, [logits, V, stats]);
        writeLogProbs([...targets, logits, V, stats, first, count], n);
        const best = [topIds!.at + first, top!.at + first, 0, 0, 0, 0, 0, stats, 0, count];
        gpu.run({ name: "logProbs", entry: "best" }, Math.ceil(count / LANES), best);
      });
    },
  };
}
