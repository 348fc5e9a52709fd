import { type Rng, seededRng } from "../../base/rng.js";
import type { Backend } from "../backend.js";
import type { RowPlan } from "../kv.js";
import type { AttentionOptions } from "../ops/attention.js";
import type { Tensor, Weight } from "../tensor.js";
import { CaseTensors, randomValues } from "./case-tensors.js";
import { scoped } from "./conformance.js";
import { currentRows, makePlan, pageTableWidth, scrambledPages } from "./ragged-step.js";
import { storedFloats } from "./stored-weight.js";

type Shapes = Readonly<Record<string, readonly number[]>>;
type Tensors = Readonly<Record<string, Tensor>>;

/** A forward op and its backward: what one computes must be the slope of the other. */
export interface GradientCase {
  readonly name: string;
  /** Largest |backward - difference quotient| / |largest gradient of the tensor|. */
  readonly tolerance: number;
  readonly inputs: Shapes;
  readonly outputs: Shapes;
  /** Binds ops to a backend; anything further that they need is made from `rng`. */
  bind(be: Backend, tensors: CaseTensors, rng: Rng): BoundCase;
}

interface BoundCase {
  /** Overwrites outputs, and must leave inputs as they are. */
  forward(inputs: Tensors, outputs: Tensors): void;
  /** Writes the gradients in the inputs, which come zeroed. */
  backward(gradients: Tensors, dOutputs: Tensors, inputs: Tensors): void;
}

export interface GradientResult {
  readonly error: number;
  readonly where: string;
}

const STEP = 1 / 32; // inputs are of about 1
const ENTRIES = 12; // of each input are tried

/**
 * Compares a backward op with the central difference quotient of five points (error of the order of STEP⁴) of a random
 * combination of the forward op's outputs. The backend's activations must be f32.
 */
export async function checkGradient(c: GradientCase, backend: Backend, seed: number): Promise<GradientResult> {
  const rng = seededRng(seed);
  const { scope, end } = scoped(backend);
  try {
    const tensors = new CaseTensors(scope);
    const bound = c.bind(scope, tensors, rng);
    const values = mapShapes(c.inputs, (shape) => randomValues(rng, countOf(shape)));
    const factors = mapShapes(c.outputs, (shape) => randomValues(rng, countOf(shape)));
    const inputs = mapShapes(c.inputs, (shape, name) => tensors.input(shape, values[name]!));
    const outputs = mapShapes(c.outputs, (shape) => tensors.output("f32", shape));
    const loss = async () => {
      bound.forward(inputs, outputs);
      let sum = 0;
      for (const [name, output] of Object.entries(outputs)) {
        for (const [i, value] of (await tensors.read(output)).entries()) sum += value * factors[name]![i]!;
      }
      return sum;
    };

    const gradients = mapShapes(c.inputs, (shape) => tensors.input(shape, new Float32Array(countOf(shape))));
    const dOutputs = mapShapes(c.outputs, (shape, name) => tensors.input(shape, factors[name]!));
    bound.backward(gradients, dOutputs, inputs);
    let worst: GradientResult = { error: 0, where: "" };
    for (const [name, input] of Object.entries(inputs)) {
      const got = (await tensors.read(gradients[name]!)) as Float32Array;
      const largest = got.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (let n = 0; n < ENTRIES; n++) {
        const i = rng.integer(got.length);
        const at = async (offset: number) => {
          const moved = values[name]!.slice();
          moved[i]! += offset;
          scope.write(input, moved);
          return { value: await loss(), offset: moved[i]! - values[name]![i]! }; // as f32 holds it
        };
        const [a, b, d, e] = [await at(-2 * STEP), await at(-STEP), await at(STEP), await at(2 * STEP)];
        const [near, far] = [(d.value - b.value) / (d.offset - b.offset), (e.value - a.value) / (e.offset - a.offset)];
        const slope = (4 * near - far) / 3;
        scope.write(input, values[name]!);
        const error = Math.abs(got[i]! - slope) / largest;
        if (error <= worst.error || Number.isNaN(worst.error)) continue; // NaN is the worst
        worst = { error, where: `${c.name}: gradient in ${name}[${i}] is ${got[i]}, difference quotient ${slope}` };
      }
    }
    return worst;
  } finally {
    end();
  }
}

export const GRADIENT_CASES: readonly GradientCase[] = [
  {
    name: "embed",
    tolerance: 1e-4,
    inputs: { table: [7, 5] },
    outputs: { out: [6, 5] },
    bind(be, tensors, rng) {
      const ids = tensors.input([6], Int32Array.of(6, 0, 3, 3, 9, 6));
      const table = floatWeight(be, [7, 5], rng);
      return {
        forward(x, y) {
          be.packWeight(table, x.table!);
          be.embed(y.out!, table, ids, 3);
        },
        backward: (g, d) => be.embedBackward(g.table!, d.out!, ids, 3),
      };
    },
  },
  {
    name: "rmsNorm",
    tolerance: 2e-4,
    inputs: { x: [4, 17], weight: [17] },
    outputs: { out: [4, 17] },
    bind: (be) => ({
      forward: (x, y) => be.rmsNorm(y.out!, x.x!, x.weight!, 1e-6),
      backward: (g, d, x) => be.rmsNormBackward(g.x!, g.weight!, d.out!, x.x!, x.weight!, 1e-6, true),
    }),
  },
  {
    name: "matmul",
    tolerance: 1e-4,
    inputs: { x: [3, 33], weight: [19, 33] },
    outputs: { out: [3, 19] },
    bind(be, _, rng) {
      const weight = floatWeight(be, [19, 33], rng);
      return {
        forward(x, y) {
          be.packWeight(weight, x.weight!);
          be.matmul(y.out!, x.x!, weight);
        },
        backward(g, d, x) {
          be.packWeight(weight, x.weight!);
          be.matmulBackward(g.x!, d.out!, weight, false);
          be.matmulWeightBackward(g.weight!, d.out!, x.x!);
        },
      };
    },
  },
  {
    name: "loraDelta",
    tolerance: 1e-4,
    inputs: { x: [4, 17], a: [5, 17], b: [9, 5] },
    outputs: { out: [4, 9] },
    bind: (be) => ({
      forward(x, y) {
        be.scale(y.out!, y.out!, 0);
        be.loraDelta(y.out!, x.x!, x.a!, x.b!, 0.5);
      },
      backward: (g, d, x) =>
        be.loraDeltaBackward({ dx: g.x!, da: g.a!, db: g.b! }, d.out!, x.x!, x.a!, x.b!, 0.5, false),
    }),
  },
  {
    name: "rope",
    tolerance: 1e-4,
    inputs: { x: [4, 24] },
    outputs: { out: [4, 24] },
    bind(be, tensors) {
      const positions = tensors.input([4], Int32Array.of(0, 1, 7, 900));
      const options = { headDim: 8, theta: 10_000, scalingFactor: 2 };
      return {
        forward(x, y) {
          be.scale(y.out!, x.x!, 1);
          be.rope(y.out!, positions, options);
        },
        backward(g, d) {
          be.scale(g.x!, d.out!, 1);
          be.ropeBackward(g.x!, positions, options);
        },
      };
    },
  },
  attentionCase("attention", [5, 1, 9], null, 4, 1, { scale: 0.25, softCap: null, window: null }),
  attentionCase("attention, grouped heads, a window and a cap", [7, 12], null, 4, 2, {
    scale: 0.5,
    softCap: 2,
    window: 5,
  }),
  attentionCase("attention of output rows", [6, 8], [2, 5, 13], 2, 2, { scale: 0.25, softCap: null, window: 4 }),
  {
    name: "geglu",
    tolerance: 2e-4,
    inputs: { gate: [3, 17], up: [3, 17] },
    outputs: { out: [3, 17] },
    bind: (be) => ({
      forward: (x, y) => be.geglu(y.out!, x.gate!, x.up!),
      backward: (g, d, x) => be.gegluBackward(g.gate!, g.up!, d.out!, x.gate!, x.up!),
    }),
  },
  {
    name: "gatherRows",
    tolerance: 1e-4,
    inputs: { x: [5, 7] },
    outputs: { out: [4, 7] },
    bind(be, tensors) {
      const rows = tensors.input([4], Int32Array.of(4, 1, 1, 9));
      return {
        forward: (x, y) => be.gatherRows(y.out!, x.x!, rows),
        backward: (g, d) => be.gatherRowsBackward(g.x!, d.out!, rows),
      };
    },
  },
  crossEntropyCase("crossEntropy", null),
  crossEntropyCase("crossEntropy, capped", 3),
];

/** writeKv and attention on a cache of f32: the gradients in queries, keys and values. */
function attentionCase(
  name: string,
  counts: readonly number[],
  queryRows: readonly number[] | null,
  heads: number,
  kvHeads: number,
  options: AttentionOptions,
): GradientCase {
  const H = 8;
  const sequences = counts.map((now) => ({ past: 0, now }));
  const rows = currentRows(sequences);
  const queries = queryRows?.map((row) => rows[row]!) ?? rows;
  const kv = [rows.length, kvHeads * H];
  const q = [queries.length, heads * H];
  return {
    name,
    tolerance: 2e-4,
    inputs: { q, k: kv, v: kv },
    outputs: { out: q },
    bind(be, tensors, rng) {
      const table = scrambledPages(rng, sequences);
      const groupPages = [sequences.length * pageTableWidth(sequences)];
      const cache = be.kvCache({ dtype: "f32", kvHeads, headDim: H, layerGroups: [0], groupPages });
      const plan = (of: typeof rows): RowPlan => makePlan(tensors, of, [table]);
      const [all, asked] = [plan(rows), plan(queries)];
      return {
        forward(x, y) {
          be.writeKv(cache, 0, x.k!, x.v!, all);
          be.attention(y.out!, x.q!, cache, 0, asked, options);
        },
        backward(g, d, x) {
          const out = { dq: g.q!, dk: g.k!, dv: g.v! };
          be.attentionBackward(out, d.out!, x.q!, x.k!, x.v!, asked, all, { ...options, headDim: H });
        },
      };
    },
  };
}

/** The losses' factors are the rows' weights: they are what crossEntropy computes the gradient of. */
function crossEntropyCase(name: string, softCap: number | null): GradientCase {
  const [R, V, D] = [4, 37, 9];
  return {
    name,
    tolerance: 2e-4,
    inputs: { x: [R, D], head: [V, D] },
    outputs: { losses: [R] },
    bind(be, tensors, rng) {
      const head = floatWeight(be, [V, D], rng);
      const targets = tensors.input([R], Int32Array.of(36, -1, 5, 0));
      const unused = tensors.output("f32", [R, D]);
      const ones = tensors.input([R], new Float32Array(R).fill(1));
      return {
        forward(x, y) {
          be.packWeight(head, x.head!);
          be.crossEntropy({ losses: y.losses!, dx: unused, dHead: null }, x.x!, head, softCap, targets, ones);
        },
        backward(g, d, x) {
          be.packWeight(head, x.head!);
          const losses = tensors.output("f32", [R]);
          be.crossEntropy({ losses, dx: g.x!, dHead: g.head! }, x.x!, head, softCap, targets, d.losses!);
        },
      };
    },
  };
}

function floatWeight(be: Backend, shape: readonly [number, number], rng: Rng): Weight {
  return be.weight(storedFloats(shape, randomValues(rng, countOf(shape))));
}

function mapShapes<Value>(
  shapes: Shapes,
  make: (shape: readonly number[], name: string) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, make(shape, name)]));
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}
