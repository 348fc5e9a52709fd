// Attention and writing its cache, at the shapes of Gemma 3 270M.
import { pageLayerBytes } from "../../dist/backend/kv.js";
import { CaseTensors } from "../../dist/backend/testing/case-tensors.js";
import {
  currentRows,
  makePlan,
  pageTableWidth,
  pastRows,
  randomKv,
  scrambledPages,
} from "../../dist/backend/testing/ragged-step.js";
import { seededRng } from "../../dist/base/rng.js";
import { bf16Dots, memory, multiplyAdds } from "./op-bench.mjs";
import { filler, opCase } from "./op-cases.mjs";

const [N, K, H, WINDOW] = [4, 1, 256, 512];

export function attentionCases(kv, isa = "avx512bf16") {
  const units = kv === "bf16" && isa === "avx512bf16" ? bf16Dots : multiplyAdds;
  const prefill = (past, T, window) =>
    opCase({
      op: "attention",
      label: `${T} rows behind ${past}, ${window === null ? "full" : `window ${window}`}`,
      rows: T,
      amount: 4 * N * H * seenKeys(past, T, window),
      limit: units,
      make: (be, rows) => attention(be, kv, past, rows, window),
    });
  const decode = (past, window, limit) =>
    opCase({
      op: "attention",
      label: `1 row behind ${past}, ${window === null ? "full" : `window ${window}`}`,
      rows: 1,
      amount: (seenKeys(past, 1, window) * pageLayerBytes({ dtype: kv, kvHeads: K, headDim: H })) / 16,
      limit,
      make: (be) => attention(be, kv, past, 1, window),
    });
  const written = (T) =>
    opCase({
      op: "writeKv",
      label: `[${T}, ${K} x ${H}]`,
      rows: T,
      amount: 8 * T * K * H,
      make(be, rows) {
        const { run, write, outputs } = attention(be, kv, 0, rows, null);
        return { run: write, check: run, outputs }; // attention shows what was written
      },
    });
  return [
    prefill(0, 512, null),
    prefill(512, 128, WINDOW),
    prefill(3872, 128, null),
    decode(600, WINDOW, null),
    decode(4000, null, null),
    decode(32_000, null, memory),
    written(1),
    written(512),
  ];
}

function seenKeys(past, T, window) {
  let sum = 0;
  for (let t = 1; t <= T; t++) sum += Math.min(past + t, window ?? Infinity);
  return sum;
}

/** A sequence of `past + T` positions of which the last T are rows of the step. */
function attention(be, dtype, past, T, window) {
  const rng = seededRng(1);
  const tensors = new CaseTensors(be);
  const sequences = [{ past, now: T }];
  const groupPages = [pageTableWidth(sequences)];
  const cache = be.kvCache({ dtype, kvHeads: K, headDim: H, layerGroups: [0], groupPages });
  const tables = [scrambledPages(rng, sequences)];
  const all = [...pastRows(sequences), ...currentRows(sequences)];
  const [k, v] = [randomKv(tensors, rng, all.length, cache), randomKv(tensors, rng, all.length, cache)];
  const allPlan = makePlan(tensors, all, tables);
  const write = () => be.writeKv(cache, 0, k, v, allPlan);
  write();
  const plan = makePlan(tensors, currentRows(sequences), tables);
  const { f32 } = filler(be);
  const [out, q] = [f32([T, N * H]), f32([T, N * H])];
  const options = { scale: H ** -0.5, softCap: null, window };
  return { run: () => be.attention(out, q, cache, 0, plan, options), write, outputs: [out] };
}
