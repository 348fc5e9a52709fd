// What bench:ops measures, but for attention and products: each op at the shapes of Gemma 3 270M.
import { PLAIN_ROW } from "../../dist/backend/ops/sample.js";
import { randomValues } from "../../dist/backend/testing/case-tensors.js";
import { rowBytes } from "../../dist/base/dtype.js";
import { seededRng } from "../../dist/base/rng.js";
import { multiplyAdds } from "./op-bench.mjs";
import { randomWeight } from "./random-weight.mjs";

const [D, F, N, H, V] = [640, 2048, 4, 256, 262_144];
const TABLE_ROWS = 4096; // of embed: enough not to stay in the nearest cache
const RANK = 16;
const CHECKED_ROWS = 3;

/** A case of one measure. `amount`: bytes, or operations where there is a limit. */
export function opCase({ op, label, rows, checkedRows = Math.min(rows, CHECKED_ROWS), make, amount, limit = null }) {
  const unit = limit === null || limit.name === "memory" ? "GB/s" : limit.name === "dots" ? "GOPS" : "GFLOPS";
  const id = `${op} ${label}`;
  const measures = ({ run }, bestSeconds) => [{ id, label: id, unit, amount, seconds: bestSeconds(run), limit }];
  return { op, label, rows, checkedRows, make, measures };
}

/** Makes tensors with values, the same on each backend. */
export function filler(be) {
  const rng = seededRng(1);
  return {
    f32(shape, scale = 1) {
      const tensor = be.tensor("f32", shape);
      const count = shape.reduce((product, size) => product * size, 1);
      be.write(
        tensor,
        randomValues(rng, count).map((value) => scale * value),
      );
      return tensor;
    },
    i32(values) {
      const tensor = be.tensor("i32", [values.length]);
      be.write(tensor, Int32Array.from(values));
      return tensor;
    },
  };
}

export function opCases() {
  return [...[1, 512].flatMap(rowCases), ...logitsCases()];
}

function rowCases(T) {
  const at = (width) => `[${T}, ${width}]`;
  const table = randomWeight("Q8_0", TABLE_ROWS, D);
  return [
    opCase({
      op: "embed",
      label: `${at(D)} Q8_0`,
      rows: T,
      amount: T * (rowBytes("Q8_0", D) + 4 * D),
      make(be, rows) {
        const ids = filler(be).i32(Array.from({ length: rows }, (_, t) => (t * 2654435761) % TABLE_ROWS));
        const [out, weight] = [be.tensor("f32", [rows, D]), be.weight(table)];
        return { run: () => be.embed(out, weight, ids, 25.25), outputs: [out] };
      },
    }),
    opCase({
      op: "rmsNorm",
      label: at(D),
      rows: T,
      amount: 8 * T * D,
      make(be, rows) {
        const { f32 } = filler(be);
        const [out, x, weight] = [f32([rows, D]), f32([rows, D]), f32([D])];
        return { run: () => be.rmsNorm(out, x, weight, 1e-6), outputs: [out] };
      },
    }),
    opCase({
      op: "add",
      label: at(D),
      rows: T,
      amount: 12 * T * D,
      make(be, rows) {
        const { f32 } = filler(be);
        const [out, a, b] = [f32([rows, D]), f32([rows, D]), f32([rows, D])];
        return { run: () => be.add(out, a, b), outputs: [out] };
      },
    }),
    opCase({
      op: "geglu",
      label: at(F),
      rows: T,
      amount: 12 * T * F,
      make(be, rows) {
        const { f32 } = filler(be);
        const [out, gate, up] = [f32([rows, F]), f32([rows, F]), f32([rows, F])];
        return { run: () => be.geglu(out, gate, up), outputs: [out] };
      },
    }),
    opCase({
      op: "rope",
      label: `[${T}, ${N} x ${H}]`,
      rows: T,
      amount: 8 * T * N * H,
      make(be, rows) {
        const { f32, i32 } = filler(be);
        const x = f32([rows, N * H]);
        const positions = i32(Array.from({ length: rows }, (_, t) => 1000 + t));
        const options = { headDim: H, theta: 10_000, scalingFactor: 1 };
        return { run: () => be.rope(x, positions, options), outputs: [x] };
      },
    }),
    opCase({
      op: "loraDelta",
      label: `[${T}, ${D}] rank ${RANK} to ${F}`,
      rows: T,
      amount: 2 * T * RANK * (D + F),
      limit: multiplyAdds,
      make(be, rows) {
        const { f32 } = filler(be);
        const [out, x, a, b] = [f32([rows, F]), f32([rows, D]), f32([RANK, D], 0.1), f32([F, RANK], 0.1)];
        return { run: () => be.loraDelta(out, x, a, b, 2), outputs: [out] };
      },
    }),
    opCase({
      op: "gatherRows",
      label: `16 of ${at(D)}`,
      rows: T,
      amount: 8 * 16 * D,
      make(be, rows) {
        const { f32, i32 } = filler(be);
        const [out, x] = [f32([16, D]), f32([rows, D])];
        const indexes = i32(Array.from({ length: 16 }, (_, i) => (31 * i) % rows));
        return { run: () => be.gatherRows(out, x, indexes), outputs: [out] };
      },
    }),
  ];
}

/** As steep as a language model's: a few ids take most of the probability. */
function logitsOf(be, R) {
  const logits = be.tensor("f32", [R, V]);
  const rng = seededRng(2);
  const steep = () => Math.max(-25, Math.min(25, 3 * Math.tan(2.9 * (rng.uniform() - 0.5))));
  be.write(logits, Float32Array.from({ length: R * V }, steep));
  return logits;
}

function logitsCases() {
  const sample = (label, settings, R = 1) =>
    opCase({
      op: "sample",
      label: `${label}, ${R === 1 ? "1 row" : `${R} rows`}`,
      rows: R,
      amount: 4 * R * V,
      make(be, rows) {
        const [out, logits] = [be.tensor("i32", [rows]), logitsOf(be, rows)];
        let index = 0;
        const row = () => ({ ...PLAIN_ROW, ...settings, index: index++ });
        return { run: () => be.sample(out, logits, Array.from({ length: rows }, row)), outputs: [out] };
      },
    });
  const logProbs = (R, n) =>
    opCase({
      op: "logProbs",
      label: `[${R}, ${V}], top ${n}`,
      rows: R,
      checkedRows: 1,
      amount: 4 * R * V,
      make(be, rows) {
        const [logits, targets] = [
          logitsOf(be, rows),
          filler(be).i32(Array.from({ length: rows }, (_, r) => 1000 * r)),
        ];
        const out = {
          logProbs: be.tensor("f32", [rows]),
          topIds: be.tensor("i32", [rows, n]),
          topLogProbs: be.tensor("f32", [rows, n]),
        };
        return { run: () => be.logProbs(out, logits, targets), outputs: Object.values(out) };
      },
    });
  return [
    opCase({
      op: "softCap",
      label: `[1, ${V}]`,
      rows: 1,
      amount: 8 * V,
      make(be, rows) {
        const x = filler(be).f32([rows, V], 100);
        return { run: () => be.softCap(x, 30), outputs: [x] };
      },
    }),
    sample("greedy", { temperature: 0 }),
    sample("top-k 64, top-p 0.95", { topK: 64, topP: 0.95 }),
    sample("the same with a mask", { topK: 64, topP: 0.95, mask: new Uint32Array(V / 32).fill(0xffffffff) }),
    sample("top-p 0.95", { topP: 0.95 }),
    sample("temperature 1", {}),
    sample("greedy", { temperature: 0 }, 8),
    logProbs(1, 0),
    logProbs(1, 20),
    logProbs(16, 1),
  ];
}
