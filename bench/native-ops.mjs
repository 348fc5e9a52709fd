// Speed of the native operations other than matmul at the shapes of Gemma 3 270M.
//   node bench/native-ops.mjs [--isa avx512bf16|avx512|avx2|neon|scalar] [--threads N] [--kv f32|bf16|int8] [--only TEXT]
// Each operation is first compared with a plain loop, then timed: the median and the best of several runs, in
// microseconds a call, and how much of a step that is. The machine may be shared: the best counts.
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    isa: { type: "string", default: "" },
    threads: { type: "string" },
    kv: { type: "string", default: "bf16" },
    only: { type: "string", default: "" },
  },
});
const addon = createRequire(import.meta.url)("../build/native/gemma.node");
const threads = Number(options.threads ?? addon.defaultThreads());
const be = addon.createBackend(options.isa, threads, true);
const kvTolerance = { f32: 1e-5, bf16: 2e-2, int8: 5e-2 }[options.kv];

const [D, F, N, K, H, V] = [640, 2048, 4, 1, 256, 262_144];
const [LAYERS, SLIDING, WINDOW, PAGE] = [18, 15, 512, 16];

let state = 1;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32 - 0.5;
}

/** A tensor as its two arguments, with its values beside it. */
function f32(count, scale = 4) {
  const values = Float32Array.from({ length: count }, () => scale * random());
  const tensor = [addon.createTensor(be, false, count), 0];
  addon.writeF32(be, values, ...tensor);
  return { tensor, values };
}
function i32(values) {
  const tensor = [addon.createTensor(be, true, values.length), 0];
  addon.writeI32(be, Int32Array.from(values), ...tensor);
  return { tensor, values };
}
function read({ tensor, values }) {
  const out = new Float32Array(values.length);
  addon.readF32(be, out, ...tensor);
  return out;
}
function readIds({ tensor, values }) {
  const out = new Int32Array(values.length);
  addon.readI32(be, out, ...tensor);
  return out;
}

function expectClose(what, got, expected, tolerance) {
  const error = Math.abs(got - expected) / (1 + Math.abs(expected));
  if (!(error <= tolerance)) throw new Error(`${what}: got ${got}, a plain loop gives ${expected}`);
}

/** Some elements of `out` against a function of (row, column). */
function verify(what, out, width, expected, tolerance = 2e-6) {
  const got = read(out);
  for (let i = 0; i < got.length; i += 1 + ((got.length / 97) | 0)) {
    expectClose(`${what}[${i}]`, got[i], expected((i / width) | 0, i % width), tolerance);
  }
}

function time(what, calls, run) {
  for (let i = 0; i < 3; i++) run();
  const times = [];
  const end = performance.now() + 300;
  while (times.length < 5 || (performance.now() < end && times.length < 400)) {
    const start = performance.now();
    run();
    times.push(1000 * (performance.now() - start));
  }
  times.sort((a, b) => a - b);
  const [best, median] = [times[0], times[times.length >> 1]];
  const step = calls > 0 ? `${((calls * best) / 1000).toFixed(3)} ms a step` : "";
  console.log(
    `${what.padEnd(44)} ${best.toFixed(1).padStart(9)} µs  median ${median.toFixed(1).padStart(9)} µs  ${step}`,
  );
}

/** [name, how often in a step, () => run]; what makes it also verifies it. */
const benches = [];
const bench = (name, calls, make) => benches.push([name, calls, make]);

for (const T of [1, 512]) {
  bench(`rmsNorm [${T}, ${D}]`, 4 * LAYERS + 1, () => {
    const [out, x, w] = [f32(T * D), f32(T * D), f32(D)];
    const run = () => addon.rmsNorm(be, T, D, 1e-6, ...out.tensor, ...x.tensor, ...w.tensor);
    run();
    verify("rmsNorm", out, D, (t, d) => {
      let squares = 0;
      for (let i = 0; i < D; i++) squares += x.values[t * D + i] ** 2;
      return (x.values[t * D + d] / Math.sqrt(squares / D + 1e-6)) * (1 + w.values[d]);
    });
    return run;
  });
  bench(`add [${T}, ${D}]`, 2 * LAYERS, () => {
    const [out, a, b] = [f32(T * D), f32(T * D), f32(T * D)];
    const run = () => addon.add(be, T, D, ...out.tensor, ...a.tensor, ...b.tensor);
    run();
    verify("add", out, D, (t, d) => a.values[t * D + d] + b.values[t * D + d]);
    return run;
  });
  bench(`geglu [${T}, ${F}]`, LAYERS, () => {
    const [out, gate, up] = [f32(T * F), f32(T * F), f32(T * F)];
    const run = () => addon.geglu(be, T, F, ...out.tensor, ...gate.tensor, ...up.tensor);
    run();
    verify("geglu", out, F, (t, i) => {
      const x = gate.values[t * F + i];
      const u = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
      return 0.5 * x * (1 + Math.tanh(u)) * up.values[t * F + i];
    });
    return run;
  });
  bench(`rope [${T}, ${N} x ${H}], angles of another layer`, 2 * LAYERS, () => {
    const x = f32(T * N * H);
    const positions = i32(Array.from({ length: T }, (_, t) => 1000 + t));
    const run = () => addon.rope(be, T, N * H, H, 10_000, 1, ...x.tensor, ...positions.tensor);
    run();
    verify("rope", x, N * H, (t, column) => {
      const [i, low] = [column % (H / 2), column % H < H / 2];
      const angle = positions.values[t] * 10_000 ** ((-2 * i) / H);
      const at = t * N * H + column;
      const partner = x.values[low ? at + H / 2 : at - H / 2];
      return x.values[at] * Math.cos(angle) + (low ? -1 : 1) * partner * Math.sin(angle);
    });
    return run;
  });
  bench(`loraDelta [${T}, ${D}] rank 16 to ${F}`, 0, () => {
    const r = 16;
    const [out, x, a, b] = [f32(T * F), f32(T * D), f32(r * D, 0.1), f32(F * r, 0.1)];
    const args = [...out.tensor, ...x.tensor, ...a.tensor, ...b.tensor];
    const run = () => addon.loraDelta(be, T, D, F, r, 2, ...args);
    run();
    verify(
      "loraDelta",
      out,
      F,
      (t, n) => {
        let sum = 0;
        for (let j = 0; j < r; j++) {
          for (let k = 0; k < D; k++) sum += b.values[n * r + j] * a.values[j * D + k] * x.values[t * D + k];
        }
        return out.values[t * F + n] + 2 * sum;
      },
      1e-5,
    );
    return run;
  });
}
for (const T of [1, 512]) {
  bench(`rope [${T}, ${N} x ${H}], new angles`, 2, () => {
    const x = f32(T * N * H);
    const tables = [0, 1].map((shift) => i32(Array.from({ length: T }, (_, t) => shift + t)));
    let next = 0;
    return () => addon.rope(be, T, N * H, H, 10_000, 1, ...x.tensor, ...tables[next++ % 2].tensor);
  });
}

/** A sequence of `past + T` positions of which the last T are rows of the step. */
function attentionBench(past, T, window) {
  const pages = Math.ceil((past + T) / PAGE);
  const cache = addon.createCache(
    be,
    ["f32", "bf16", "int8"].indexOf(options.kv),
    K,
    H,
    Int32Array.of(0),
    Int32Array.of(pages),
  );
  const table = i32(Array.from({ length: pages }, (_, i) => pages - 1 - i));
  const plan = (positions) => {
    const [rows, sequences] = [i32(positions), i32(positions.map(() => 0))];
    return [cache, 0, 1, pages, ...rows.tensor, ...sequences.tensor, ...table.tensor];
  };
  const all = Array.from({ length: past + T }, (_, i) => i);
  const [k, v] = [f32(all.length * K * H), f32(all.length * K * H)];
  const writeAll = plan(all);
  const write = () => addon.writeKv(be, all.length, ...writeAll, ...k.tensor, ...v.tensor);
  write();
  const [out, q] = [f32(T * N * H), f32(T * N * H)];
  const step = plan(all.slice(past));
  const run = () => addon.attention(be, T, N * H, ...step, H ** -0.5, 0, window, ...out.tensor, ...q.tensor);
  run();
  verify(
    "attention",
    out,
    N * H,
    (t, column) => {
      const [n, position] = [(column / H) | 0, past + t];
      const weights = [];
      for (let j = Math.max(0, window > 0 ? position - window + 1 : 0); j <= position; j++) {
        let score = 0;
        for (let h = 0; h < H; h++) score += q.values[(t * N + n) * H + h] * k.values[j * H + h];
        weights.push([j, score / Math.sqrt(H)]);
      }
      const max = Math.max(...weights.map(([, score]) => score));
      let [total, sum] = [0, 0];
      for (const [j, score] of weights) {
        total += Math.exp(score - max);
        sum += Math.exp(score - max) * v.values[j * H + (column % H)];
      }
      return sum / total;
    },
    kvTolerance,
  );
  return { run, write };
}
bench(`attention [512, ${N} x ${H}] prefill, ${options.kv}`, LAYERS, () => attentionBench(0, 512, 0).run);
bench(`attention decode at 512, window ${WINDOW}, ${options.kv}`, SLIDING, () => attentionBench(600, 1, WINDOW).run);
bench(`attention decode at 1,000, full, ${options.kv}`, LAYERS - SLIDING, () => attentionBench(1000, 1, 0).run);
bench(`attention decode at 32,000, full, ${options.kv}`, LAYERS - SLIDING, () => attentionBench(32_000, 1, 0).run);
bench(`writeKv [512, ${K} x ${H}], ${options.kv}`, LAYERS, () => attentionBench(0, 512, 0).write);
bench(`writeKv [1, ${K} x ${H}], ${options.kv}`, LAYERS, () => attentionBench(0, 1, 0).write);

/** Logits with a head as steep as a language model's: a few ids take most of the probability. */
function logitsBench(R) {
  const logits = f32(R * V, 1);
  const steep = logits.values.map((value) => 3 * Math.tan(2.9 * value));
  logits.values.set(steep.map((value) => Math.max(-25, Math.min(25, value))));
  addon.writeF32(be, logits.values, ...logits.tensor);
  return logits;
}

function sampleBench(settings, R = 1) {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, masked = 0 } = settings;
  const logits = logitsBench(R);
  const out = i32(Array(R).fill(0));
  const words = Math.ceil(V / 32);
  const mask = new Uint32Array(masked * R * words).fill(0xffffffff);
  const none = [new Int32Array(0), new Float32Array(0), mask];
  let index = 0;
  const run = () => {
    const numbers = Float64Array.from({ length: R }).fill(0);
    const rows = Array.from(numbers, () => [temperature, topK, topP, minP, 1, 0, 0, 7, index++, 0, 0, masked]).flat();
    addon.sample(be, R, V, Float64Array.from(rows), ...none, ...out.tensor, ...logits.tensor);
  };
  run();
  const got = readIds(out);
  const ranked = logits.values.slice(0, V).sort().reverse();
  if (temperature === 0 && logits.values[got[0]] !== ranked[0]) throw new Error("sample: not the greatest logit");
  if (topK > 0 && logits.values[got[0]] < ranked[topK - 1]) throw new Error(`sample: not among the top ${topK}`);
  return run;
}
bench("sample greedy", 1, () => sampleBench({ temperature: 0 }));
bench("sample topK 64, topP 0.95", 1, () => sampleBench({ topK: 64, topP: 0.95 }));
bench("sample topK 64, topP 0.95, mask", 1, () => sampleBench({ topK: 64, topP: 0.95, masked: 1 }));
bench("sample topP 0.95", 1, () => sampleBench({ topP: 0.95 }));
bench("sample temperature 1", 1, () => sampleBench({}));
bench("sample greedy, 8 rows", 1, () => sampleBench({ temperature: 0 }, 8));

for (const [R, n] of [
  [1, 0],
  [1, 20],
  [16, 1],
]) {
  bench(`logProbs [${R}, ${V}], top ${n}`, 0, () => {
    const logits = logitsBench(R);
    const [out, ids, top] = [f32(R), i32(Array(R * n).fill(0)), f32(R * n)];
    const targets = i32(Array.from({ length: R }, (_, r) => 1000 * r + 5));
    const tensors = [out, ids, top, logits, targets].flatMap(({ tensor }) => tensor);
    const run = () => addon.logProbs(be, R, V, n, ...tensors);
    run();
    verify("logProbs", out, 1, (r) => {
      let [max, total] = [Number.NEGATIVE_INFINITY, 0];
      for (let i = 0; i < V; i++) max = Math.max(max, logits.values[r * V + i]);
      for (let i = 0; i < V; i++) total += Math.exp(logits.values[r * V + i] - max);
      return logits.values[r * V + targets.values[r]] - max - Math.log(total);
    });
    return run;
  });
}
bench(`softCap [1, ${V}]`, 1, () => {
  const x = f32(V, 100);
  const run = () => addon.softCap(be, 1, V, 30, ...x.tensor);
  run();
  verify("softCap", x, V, (_, i) => Math.tanh(x.values[i] / 30) * 30);
  return run;
});

console.log(`${cpus()[0]?.model}, ${addon.backendIsa(be)}, ${threads} threads, KV ${options.kv}`);
for (const [name, calls, make] of benches) if (name.includes(options.only)) time(name, calls, make());
addon.disposeBackend(be);
