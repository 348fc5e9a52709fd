// Speed of the native matmul at the shapes of Gemma 3 270M (Q4_K_M) and Gemma 2B, and for every stored type.
//   npm run bench:matmul -- [--isa avx512bf16|avx512|avx2vnni|avx2|neoni8mm|neon|scalar] [--threads N]
//       [--activations int8|f32] [--cpu-time] [--form Q4_0] [--only TEXT] [--rounds N] [--record FILE] [--json]
// One row is measured in GB/s of packed weights, beside the memory's limit; many rows in GOPS, two operations a
// multiply-add, beside the limit of the dot products (of f32 multiply-adds where activations are f32); packing in GB/s
// of the stored form. The best of several runs counts: the machine may be shared. --cpu-time counts the CPU time of one
// thread, which other processes disturb less.
import { parseArgs } from "node:util";
import { randomValues } from "../dist/backend/testing/case-tensors.js";
import { BLOCK_SIZES, rowBytes, STORED_DTYPES } from "../dist/base/dtype.js";
import { seededRng } from "../dist/base/rng.js";
import { bf16Dots, dots, memory, multiplyAdds, OPTIONS, runOpBench } from "./lib/op-bench.mjs";
import { randomWeight } from "./lib/random-weight.mjs";

const CACHE_BYTES = 200e6; // weights beyond this come from memory, as in a real step
const MANY_ROWS = [64, 512];
const HEAD_ROWS = 64; // at most for the head: out [64, 262144] is 64 MB
const CHECKED_COLUMNS = 64; // of out, beside the reference

/** [name, dtype, N, K] */
const SHAPES = [
  ["270M head", "Q8_0", 262144, 640],
  ["270M q", "Q5_0", 1024, 640],
  ["270M k", "Q5_0", 256, 640],
  ["270M v", "Q8_0", 256, 640],
  ["270M o", "Q4_K", 640, 1024],
  ["270M gate, up", "Q5_0", 2048, 640],
  ["270M down", "Q4_K", 640, 2048],
  ["270M down", "Q6_K", 640, 2048],
  ["2B q", "Q4_0", 2048, 2048],
  ["2B gate, up", "Q4_0", 16384, 2048],
  ["2B down", "Q4_0", 2048, 16384],
  ...STORED_DTYPES.map((dtype) => ["any", dtype, 4096, 2048]),
];

const { values } = parseArgs({ options: { ...OPTIONS, form: { type: "string", default: "" } } });
const chosen = SHAPES.filter(
  ([name, dtype]) => name.includes(values.only) && (values.form === "" || dtype === values.form),
);
if (chosen.length === 0) throw new Error(`no shape has --form ${values.form} --only ${values.only}`);
const describe = ({ isa, threads, activations }) => ({
  name: `matmul-${threads}${activations === "f32" ? "-f32" : ""}`,
  text: `native matmul, ${isa}, ${threads === 1 ? "1 thread" : `${threads} threads`}, ${activations} activations`,
});
await runOpBench("matmul", values, describe, chosen.map(matmulCase));

function matmulCase([name, dtype, N, K]) {
  const label = `${name} ${dtype} ${N} x ${K}`;
  const hasDots = (values.isa ?? "avx512bf16") === "avx512bf16"; // where a CPU has none, bf16Dots is f32's limit
  const isBf16 = dtype === "BF16" && values.activations !== "f32" && hasDots; // x is rounded to bf16, too
  const base = { op: "matmul", label, rows: Math.max(...rowCounts(N)), checkedRows: 2, make, measures };
  return isBf16 ? { ...base, tolerance: 2 ** -8 } : base;

  function make(be, rows, clock, isReference = false) {
    const stored = randomWeight(dtype, isReference ? CHECKED_COLUMNS : N, K);
    let packMs = Infinity; // the best: a single one may be the first of its kind
    const pack = () => {
      const start = clock();
      const packed = be.weight(stored);
      packMs = Math.min(packMs, clock() - start);
      return packed;
    };
    const weight = pack();
    const x = be.tensor("f32", [rows, K]);
    be.write(x, randomValues(seededRng(1), rows * K));
    const out = be.tensor("f32", [rows, weight.shape[0]]);
    const run = (weights, T) => {
      const [some, outSome] = [be.view(x, [T, K]), be.view(out, [T, weight.shape[0]])];
      return () => {
        for (const w of weights) be.matmul(outSome, some, w);
      };
    };
    // Of each row the columns that the reference has.
    const outputs = Array.from({ length: Math.min(rows, 2) }, (_, t) =>
      be.view(out, [CHECKED_COLUMNS], t * weight.shape[0]),
    );
    return { weight, pack, packSeconds: () => packMs / 1000, run: run([weight], rows), runOn: run, outputs };
  }

  function measures({ weight, pack, packSeconds, runOn }, bestSeconds) {
    const copies = [weight];
    while (copies.length * weight.sizeBytes < CACHE_BYTES) copies.push(pack());
    const one = bestSeconds(runOn(copies, 1)) / copies.length;
    const isDense = BLOCK_SIZES[dtype].elements === 1;
    const peak = isBf16 ? bf16Dots : isDense || values.activations === "f32" ? multiplyAdds : dots;
    return [
      {
        id: `${label}, 1`,
        label: `${label}, 1 row`,
        unit: "GB/s",
        amount: weight.sizeBytes,
        seconds: one,
        limit: memory,
      },
      ...rowCounts(N).map((T) => ({
        id: `${label}, ${T}`,
        label: `${label}, ${T} rows`,
        unit: "GOPS",
        amount: 2 * T * N * K,
        seconds: bestSeconds(runOn([weight], T)),
        limit: peak,
      })),
      {
        id: `${label}, pack`,
        label: `${label}, pack`,
        unit: "GB/s",
        amount: N * rowBytes(dtype, K),
        seconds: packSeconds(),
      },
    ];
  }
}

function rowCounts(N) {
  return N > 65536 ? [HEAD_ROWS] : MANY_ROWS;
}
