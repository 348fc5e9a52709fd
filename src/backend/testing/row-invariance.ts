import { STORED_DTYPES, type StoredDtype } from "../../base/dtype.js";
import { type Rng, seededRng } from "../../base/rng.js";
import type { Backend } from "../backend.js";
import { KV_DTYPES, type KvDtype } from "../kv.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "./case-tensors.js";
import { scoped } from "./conformance.js";
import { type InvarianceCase, rowsOfTensor } from "./invariance-case.js";
import { chooseIdsCase, logProbsCase, sampleCase, scoreIdsCase } from "./invariance-head.js";
import { currentRows, makePlan, pastRows, randomKv, type SequenceRows, scrambledPages } from "./ragged-step.js";
import { randomStoredWeight } from "./stored-weight.js";

/** Sequences of attention cases. The long one is more than a kernel takes in at once, and cut into parts by threads. */
const SHORT: readonly SequenceRows[] = [
  { past: 0, now: 21 },
  { past: 0, now: 40 },
  { past: 0, now: 3 },
];
const LONG: readonly SequenceRows[] = [{ past: 520, now: 20 }];

/** Rows of the cases of element-wise ops and norms. */
const ROWS = 23;

export const INVARIANCE_CASES: readonly InvarianceCase[] = [
  ...STORED_DTYPES.map((dtype) => matmulCase(dtype, 37, 49, 768)),
  matmulCase("Q8_0", 19, 33, 640),
  matmulCase("Q5_0", 11, 17, 96),
  matmulCase("BF16", 19, 33, 37),
  matmulCase("Q4_K", 40, 320, 1024), // enough work for every thread
  matmulCase("Q6_K", 45, 33, 2304), // more than a kernel unpacks at once
  // Tiles of every size, of whole rows and of what is left over.
  ...(["Q8_0", "Q5_0", "Q4_K", "Q6_K"] as const).flatMap((dtype) =>
    [5, 6, 7, 10, 13, 22, 27].map((rows) => matmulCase(dtype, rows, 33, 256)),
  ),
  gatedMatmulCase("Q5_0", "Q4_K", 37, 49, 768),
  gatedMatmulCase("BF16", "Q8_0", 19, 33, 64),
  ...KV_DTYPES.flatMap((dtype) => [
    attentionCase(dtype, 34, null, null, SHORT),
    attentionCase(dtype, 34, 5, null, SHORT),
    attentionCase(dtype, 256, 24, 50, SHORT),
    attentionCase(dtype, 64, null, null, LONG),
    attentionCase(dtype, 64, 150, null, LONG),
  ]),
  elementwise("rmsNorm", 33, (be, out, x, tensors, rng) => {
    const weight = tensors.input([33], randomValues(rng, 33));
    return (rows) => be.rmsNorm(rows(out), rows(x), weight, 1e-6);
  }),
  elementwise("add", 17, (be, out, x) => (rows) => be.add(rows(out), rows(x), rows(x))),
  elementwise("geglu", 19, (be, out, x) => (rows) => be.geglu(rows(out), rows(x), rows(x))),
  elementwise("softCap", 35, (be, out, x) => (rows) => {
    be.add(rows(out), rows(x), rows(x));
    be.softCap(rows(out), 3);
  }),
  elementwise("loraDelta", 33, (be, out, x, tensors, rng) => {
    const a = tensors.input([5, 33], randomValues(rng, 5 * 33));
    const b = tensors.input([33, 5], randomValues(rng, 5 * 33));
    return (rows) => {
      be.add(rows(out), rows(x), rows(x));
      be.loraDelta(rows(out), rows(x), a, b, 0.5);
    };
  }),
  elementwise("rope", 32, (be, out, x, tensors) => {
    const positions = tensors.input(
      [ROWS],
      Int32Array.from({ length: ROWS }, (_, t) => 7 * t),
    );
    return (rows) => {
      be.add(rows(out), rows(x), rows(x));
      be.rope(rows(out), rows(positions), { headDim: 16, theta: 10_000, scalingFactor: 1 });
    };
  }),
  logProbsCase(9, 3001),
  sampleCase(9, 3001),
  scoreIdsCase("Q8_0", 37, 1030, 640),
  chooseIdsCase("Q8_0", 37, 8195, 640), // alone a row is screened, in a batch it is not
  chooseIdsCase("Q5_0", 19, 700, 96),
  scoreIdsCase("BF16", 9, 300, 37),
];

/**
 * Computes a case in several splits on each backend (the same one at other thread counts, say). Returns where the bits
 * of two results differ, null where nowhere.
 */
export async function rowVariance(
  c: InvarianceCase,
  backends: readonly Backend[],
  seed: number,
): Promise<string | null> {
  const rng = seededRng(seed);
  const splits = [[c.rows], Array<number>(c.rows).fill(1), [1, c.rows - 1], [c.rows - 1, 1], randomSplit(rng, c.rows)];
  let expected: Uint8Array[] | null = null;
  for (const [b, backend] of backends.entries()) {
    for (const split of b === 0 ? splits : [[c.rows], splits.at(-1)!]) {
      const got = await computeSplit(c, backend, split, seed);
      expected ??= got;
      for (const [o, bytes] of got.entries()) {
        const at = bytes.findIndex((byte, i) => byte !== expected![o]![i]);
        if (at < 0) continue;
        const threads = backend.info().threads;
        return `${c.name}: output ${o} differs at element ${at >> 2} when split ${split}, ${threads} threads, seed ${seed}`;
      }
    }
  }
  return null;
}

async function computeSplit(c: InvarianceCase, backend: Backend, split: readonly number[], seed: number) {
  const { scope, end } = scoped(backend);
  try {
    const tensors = new CaseTensors(scope);
    const { outputs, run } = c.prepare(scope, tensors, seededRng(seed));
    let start = 0;
    for (const count of split) {
      run(start, count);
      start += count;
    }
    const results: Uint8Array[] = [];
    for (const output of outputs) results.push(new Uint8Array((await tensors.read(output)).buffer));
    return results;
  } finally {
    end();
  }
}

function randomSplit(rng: Rng, rows: number): number[] {
  const split: number[] = [];
  for (let left = rows; left > 0; left -= split.at(-1)!) split.push(1 + rng.integer(Math.min(left, 9)));
  return split;
}

function matmulCase(dtype: StoredDtype, rows: number, N: number, K: number): InvarianceCase {
  return {
    name: `matmul ${dtype} [${rows}, ${K}] x [${N}, ${K}]`,
    rows,
    prepare(be, tensors, rng) {
      const weight = be.weight(randomStoredWeight(dtype, [N, K], rng));
      const x = tensors.input([rows, K], randomValues(rng, rows * K));
      const out = tensors.output("f32", [rows, N]);
      const part = (tensor: Tensor, start: number, count: number) => rowsOfTensor(be, tensor, start, count);
      return {
        outputs: [out],
        run: (start, count) => be.matmul(part(out, start, count), part(x, start, count), weight),
      };
    },
  };
}

function gatedMatmulCase(gate: StoredDtype, up: StoredDtype, rows: number, F: number, D: number): InvarianceCase {
  return {
    name: `matmul gated ${gate} ${up} [${rows}, ${D}] x [${F}, ${D}]`,
    rows,
    prepare(be, tensors, rng) {
      const wGate = be.weight(randomStoredWeight(gate, [F, D], rng));
      const wUp = be.weight(randomStoredWeight(up, [F, D], rng));
      const x = tensors.input([rows, D], randomValues(rng, rows * D));
      const out = tensors.output("f32", [rows, F]);
      const part = (tensor: Tensor, start: number, count: number) => rowsOfTensor(be, tensor, start, count);
      return {
        outputs: [out],
        run: (start, count) => be.gatedMatmul(part(out, start, count), part(x, start, count), wGate, wUp),
      };
    },
  };
}

type RowRange = (tensor: Tensor) => Tensor;

/** An op of [T, width] to [T, width]. `bind` makes further inputs and returns the call for a range of rows. */
function elementwise(
  name: string,
  width: number,
  bind: (be: Backend, out: Tensor, x: Tensor, tensors: CaseTensors, rng: Rng) => (rows: RowRange) => void,
): InvarianceCase {
  return {
    name,
    rows: ROWS,
    prepare(be, tensors, rng) {
      const x = tensors.input([ROWS, width], randomValues(rng, ROWS * width));
      const out = tensors.output("f32", [ROWS, width]);
      const call = bind(be, out, x, tensors, rng);
      return { outputs: [out], run: (start, count) => call((tensor) => rowsOfTensor(be, tensor, start, count)) };
    },
  };
}

/** Each call writes its own keys first, those of the past are there: a split is a chunked prefill, and a batch may hold several sequences. */
function attentionCase(
  dtype: KvDtype,
  headDim: number,
  window: number | null,
  softCap: number | null,
  sequences: readonly SequenceRows[],
): InvarianceCase {
  const rows = currentRows(sequences);
  const heads = 4;
  const kvHeads = 2;
  return {
    name: `attention ${dtype} [${rows.length}] H ${headDim} window ${window} cap ${softCap}`,
    rows: rows.length,
    prepare(be, tensors, rng) {
      const table = scrambledPages(rng, sequences);
      const cache = be.kvCache({ dtype, kvHeads, headDim, layerGroups: [0], groupPages: [table.pages.length] });
      const random = (width: number) => tensors.input([rows.length, width], randomValues(rng, rows.length * width));
      const q = random(heads * headDim);
      const k = random(kvHeads * headDim);
      const v = random(kvHeads * headDim);
      const out = tensors.output("f32", [rows.length, heads * headDim]);
      const past = pastRows(sequences);
      const pastKv = () => randomKv(tensors, rng, past.length, cache);
      be.writeKv(cache, 0, pastKv(), pastKv(), makePlan(tensors, past, [table]));
      return {
        outputs: [out],
        run(start, count) {
          const part = (tensor: Tensor) => rowsOfTensor(be, tensor, start, count);
          const plan = makePlan(tensors, rows.slice(start, start + count), [table]);
          be.writeKv(cache, 0, part(k), part(v), plan);
          be.attention(part(out), part(q), cache, 0, plan, { scale: headDim ** -0.5, softCap, window });
        },
      };
    },
  };
}
