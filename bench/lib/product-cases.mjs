// What bench:ops measures of operations with packed weights that are more than one matmul, at the shapes of Gemma 3 270M.
import { PLAIN_ROW } from "../../dist/backend/ops/sample.js";
import { dots, memory } from "./op-bench.mjs";
import { filler, opCase } from "./op-cases.mjs";
import { randomWeight } from "./random-weight.mjs";

const [D, F, Q, K, V] = [640, 2048, 1024, 256, 262_144];
const LAYERS = 64; // copies of the weights, so that one row's come from memory
const MANY_ROWS = 512;
const CHECKED_HEAD = 4096; // rows of the head, beside the reference

export function productCases() {
  return [1, MANY_ROWS].flatMap((T) => [qkv(T), gateUp(T)]).concat([head(false), head(true)]);
}

const qkv = (T) =>
  products("matmuls", `q, k, v [${T}, ${D}]`, T, [Q, K, K], (be, rows, [q, k, v], x) => {
    const out = [Q, K, K].map((width) => be.tensor("f32", [rows, width]));
    return { run: () => be.matmuls(out, x, [q, k, v]), outputs: out };
  });

const gateUp = (T) =>
  products("gatedMatmul", `[${T}, ${D}] to ${F}`, T, [F, F], (be, rows, [gate, up], x) => {
    const out = be.tensor("f32", [rows, F]);
    return { run: () => be.gatedMatmul(out, x, gate, up), outputs: [out] };
  });

/** Products of x [T, D] with Q5_0 weights of these heights; with one row, as many layers' as do not fit the cache. */
function products(op, label, T, heights, layer) {
  const stored = heights.map((height) => randomWeight("Q5_0", height, D));
  const layers = T === 1 ? LAYERS : 1;
  const values = layers * D * heights.reduce((sum, height) => sum + height, 0);
  return opCase({
    op,
    label,
    rows: T,
    amount: T === 1 ? (values * 22) / 32 : 2 * T * values,
    limit: T === 1 ? memory : dots,
    make(be, rows) {
      const x = filler(be).f32([rows, D]);
      const made = Array.from({ length: layers }, () => {
        const weights = stored.map((one) => be.weight(one));
        return layer(be, rows, weights, x);
      });
      return { run: () => made.forEach((one) => void one.run()), outputs: made[0].outputs };
    },
  });
}

/** A greedy step's head. Its logits are those of random weights: hardly any stands out, which is the worst case. */
const head = (screened) =>
  opCase({
    op: "chooseIds",
    label: `greedy, ${V} x ${D} Q8_0${screened ? ", screened" : ""}`,
    rows: 1,
    amount: (V * D * 34) / 32,
    limit: memory,
    make(be, rows, _clock, isReference = false) {
      const x = filler(be).f32([rows, D]);
      const out = be.tensor("i32", [rows]);
      const row = { ...PLAIN_ROW, temperature: 0, index: 0 };
      const choose = (height) => {
        const weight = be.weight(randomWeight("Q8_0", height, D), { screened });
        return () => be.chooseIds(out, x, weight, null, Array(rows).fill(row));
      };
      const check = choose(CHECKED_HEAD);
      return { run: isReference ? check : choose(V), check, outputs: [out] };
    },
  });
