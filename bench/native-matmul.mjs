// Speed of the native matmul at the shapes of Gemma 3 270M (Q4_K_M) and Gemma 2B, per form of weights.
//   node bench/native-matmul.mjs [--isa avx512bf16|avx512|avx2|neon|scalar] [--threads N] [--activations int8|f32] [--cpu-time] [--only TEXT]
// Each shape is first compared with a plain loop over the packed rows, then timed: one row in GB/s of packed weights,
// 512 rows in GOPS (two operations a multiply-add). The best of several runs counts: the machine may be shared.
// --cpu-time counts the CPU time of one thread, which other processes disturb less.
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    isa: { type: "string", default: "" },
    threads: { type: "string" },
    activations: { type: "string", default: "int8" },
    only: { type: "string", default: "" },
    "cpu-time": { type: "boolean", default: false },
  },
});
const addon = createRequire(import.meta.url)("../build/native/gemma.node");
const cpuTime = options["cpu-time"];
const threads = cpuTime ? 1 : Number(options.threads ?? addon.defaultThreads());
const isInt8 = options.activations === "int8";
const be = addon.createBackend(options.isa, threads, isInt8);

/** Elements and bytes of a block, and bytes of it at which f16 scales begin. */
const BLOCKS = {
  F32: [1, 4, []],
  BF16: [1, 2, []],
  Q4_0: [32, 18, [0]],
  Q5_0: [32, 22, [0]],
  Q8_0: [32, 34, [0]],
  Q4_K: [256, 144, [0, 2]],
  Q6_K: [256, 210, [208]],
};

/** [name, dtype, N, K, how many a token needs] */
const SHAPES = [
  ["270M head", "Q8_0", 262144, 640, 1],
  ["270M q", "Q5_0", 1024, 640, 18],
  ["270M k", "Q5_0", 256, 640, 18],
  ["270M v", "Q8_0", 256, 640, 18],
  ["270M o", "Q4_K", 640, 1024, 18],
  ["270M gate, up", "Q5_0", 2048, 640, 36],
  ["270M down", "Q4_K", 640, 2048, 9],
  ["270M down", "Q6_K", 640, 2048, 9],
  ["2B gate", "Q4_0", 16384, 2048, 0],
  ["2B down", "Q4_0", 2048, 16384, 0],
  ["2B gate", "BF16", 16384, 2048, 0],
  ["1B gate", "F32", 6912, 1152, 0],
];

let state = 1;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/** 16 rows of random blocks; a weight repeats them. */
function randomRows(dtype, K) {
  const [elements, bytes, scales] = BLOCKS[dtype];
  const rows = new Uint8Array((16 * K * bytes) / elements);
  const view = new DataView(rows.buffer);
  for (let i = 0; i < rows.length; i++) rows[i] = random() * 256;
  for (let block = 0; block < rows.length; block += bytes) {
    if (dtype === "F32") view.setFloat32(block, random() - 0.5, true);
    if (dtype === "BF16") view.setUint16(block, 0x3c00 + random() * 0x200, true);
    for (const at of scales) view.setUint16(block + at, 0x1400 + random() * 0x800, true);
  }
  return rows;
}

/** Returns the weight and the milliseconds that packing took, in slices of about 4 MB as a loader hands them over. */
function makeWeight(dtype, N, K) {
  const rows = randomRows(dtype, K);
  const repeats = Math.min(N / 16, Math.max(1, Math.floor((4 << 20) / rows.length)));
  const slice = new Uint8Array(rows.length * repeats);
  for (let i = 0; i < repeats; i++) slice.set(rows, i * rows.length);
  const start = nowMs();
  const weight = addon.createWeight(be, dtype, N, K);
  for (let row = 0; row < N; row += 16 * repeats) {
    const count = Math.min(16 * repeats, N - row) / 16;
    addon.packRows(be, weight, row, slice.subarray(0, count * rows.length));
  }
  return { weight, packMs: nowMs() - start, storedBytes: (rows.length * N) / 16 };
}

function tensor(count, fill) {
  const handle = addon.createTensor(be, false, count);
  if (fill) addon.writeF32(be, Float32Array.from({ length: count }, fill), handle, 0);
  return handle;
}

/** Row 0 of the first 16 outputs, from the rows that `embed` reads out of the panels. */
function verify(weight, K, x, out) {
  const ids = addon.createTensor(be, true, 16);
  addon.writeI32(
    be,
    Int32Array.from({ length: 16 }, (_, i) => i),
    ids,
    0,
  );
  const table = tensor(16 * K);
  addon.embed(be, 16, 1, weight, table, 0, ids, 0);
  const [w, xs, got] = [new Float32Array(16 * K), new Float32Array(K), new Float32Array(16)];
  addon.readF32(be, w, table, 0);
  addon.readF32(be, xs, x, 0);
  addon.readF32(be, got, out, 0);
  for (let n = 0; n < 16; n++) {
    let [sum, magnitude] = [0, 0];
    for (let k = 0; k < K; k++) {
      sum += xs[k] * w[n * K + k];
      magnitude += Math.abs(xs[k] * w[n * K + k]);
    }
    const error = Math.abs(got[n] - sum) / magnitude;
    const limit = isInt8 ? 5e-3 : 1e-6; // with integers the rounding of x is in it
    if (!(error <= limit)) throw new Error(`output ${n} is ${got[n]}, not ${sum}`);
  }
  addon.freeTensor(be, ids);
  addon.freeTensor(be, table);
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const nowMs = () => (cpuTime ? cpuMs() : performance.now());

/** Seconds of the fastest of several runs. */
function time(run) {
  let best = Infinity;
  const end = performance.now() + 600;
  for (let i = 0; i < 3 || performance.now() < end; i++) {
    const start = nowMs();
    run();
    best = Math.min(best, nowMs() - start);
  }
  return best / 1000;
}

const machine = `${cpus()[0].model}, ${addon.backendIsa(be)}, ${threads} threads, ${options.activations} activations`;
console.log(machine);
console.log("shape             weights  N x K           1 row us    GB/s  512 rows ms    GOPS  pack GB/s");
const model = { decode: 0, prefill: 0, packMs: 0 };
for (const [name, dtype, N, K, count] of SHAPES) {
  if (!name.includes(options.only)) continue;
  const T = 512;
  const x = tensor(T * K, () => random() - 0.5);
  const out = tensor(Math.min(T, N > 65536 ? 64 : T) * N);
  const rows = N > 65536 ? 64 : T;
  // Small weights come from memory in a real step, not from the cache: go round enough copies.
  const { weight: one, packMs, storedBytes } = makeWeight(dtype, N, K);
  const bytes = addon.weightBytes(be, one);
  const copies = [one];
  while (copies.length * bytes < 64e6) copies.push(makeWeight(dtype, N, K).weight);
  addon.matmul(be, 1, one, out, 0, x, 0);
  verify(one, K, x, out);
  const decodeAll = time(() => {
    for (const weight of copies) addon.matmul(be, 1, weight, out, 0, x, 0);
  });
  const decode = decodeAll / copies.length;
  const prefill = time(() => addon.matmul(be, rows, one, out, 0, x, 0));
  model.decode += count * decode;
  if (N <= 65536) model.prefill += count * prefill;
  model.packMs += count * packMs;
  console.log(
    name.padEnd(16),
    dtype.padStart(6),
    `${N} x ${K}`.padStart(14),
    (decode * 1e6).toFixed(1).padStart(12),
    (bytes / decode / 1e9).toFixed(1).padStart(7),
    (prefill * 1e3).toFixed(2).padStart(12),
    ((2 * rows * N * K) / prefill / 1e9).toFixed(0).padStart(7),
    (storedBytes / packMs / 1e6).toFixed(2).padStart(10),
  );
  for (const weight of copies) addon.freeWeight(be, weight);
  addon.freeTensor(be, x);
  addon.freeTensor(be, out);
}
console.log(
  `270M: matmuls of a decoded token ${(model.decode * 1e3).toFixed(2)} ms (${(1 / model.decode).toFixed(0)} tokens/s)`,
);
console.log(
  `270M: matmuls of 512 prefilled tokens ${(model.prefill * 1e3).toFixed(0)} ms (${(512 / model.prefill).toFixed(0)} tokens/s)`,
);
console.log(`270M: packing all of it ${model.packMs.toFixed(0)} ms`);
addon.disposeBackend(be);
