// What bench:ops measures of operations that are more than one matmul with packed weights, at Gemma 3 270M's shapes.
import { PLAIN_ROW } from "../../dist/backend/ops/sample.js";
import { dots, memory, multiplyAdds } from "./op-bench.mjs";
import { filler, opCase } from "./op-cases.mjs";
import { randomWeight } from "./random-weight.mjs";

const [D, F, Q, K, V] = [640, 2048, 1024, 256, 262_144];
const CACHE_BYTES = 200e6; // weights beyond this come from memory, as in a real step
const MANY_ROWS = 512;
const CHECKED_HEAD = 4096; // rows of the head, beside the reference

export function productCases(activations) {
  const units = activations === "f32" ? multiplyAdds : dots;
  const heads = activations === "f32" ? [head(false)] : [head(false), head(true)]; // no screen for exact products
  return [1, MANY_ROWS].flatMap((T) => [qkv(T, units), gateUp(T, units)]).concat(heads);
}

const qkv = (T, units) =>
  products("matmuls", `q, k, v [${T}, ${D}]`, T, [Q, K, K], units, (be, rows, [q, k, v], x) => {
    const out = [Q, K, K].map((width) => be.tensor("f32", [rows, width]));
    return { run: () => be.matmuls(out, x, [q, k, v]), outputs: out };
  });

const gateUp = (T, units) =>
  products("gatedMatmul", `[${T}, ${D}] to ${F}`, T, [F, F], units, (be, rows, [gate, up], x) => {
    const out = be.tensor("f32", [rows, F]);
    return { run: () => be.gatedMatmul(out, x, gate, up), outputs: [out] };
  });

/** Products of x [T, D] with Q5_0 weights of these heights; with one row, as many layers' as do not fit the cache. */
function products(op, label, T, heights, units, layer) {
  const stored = heights.map((height) => randomWeight("Q5_0", height, D));
  const values = D * heights.reduce((sum, height) => sum + height, 0); // of a layer
  const layerBytes = (values * 22) / 32;
  const layers = T === 1 ? Math.ceil(CACHE_BYTES / layerBytes) : 1;
  return opCase({
    op,
    label,
    rows: T,
    amount: T === 1 ? layers * layerBytes : 2 * T * values,
    limit: T === 1 ? memory : units,
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

/** A greedy step's head. Of random weights hardly a logit stands out: the screened one then reads all, 64 times of 65. */
const head = (screened) =>
  opCase({
    op: "chooseIds",
    label: `greedy, ${V} x ${D} Q8_0${screened ? ", screened in vain" : ""}`,
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
