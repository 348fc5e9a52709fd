import { seededRng } from "../../base/rng.js";
import type { Backend } from "../backend.js";
import { checked } from "../checked.js";
import type { KvCache } from "../kv.js";
import type { Op, Output, Outputs } from "../op.js";
import { OPS } from "../ops/index.js";
import type { Tensor, Weight } from "../tensor.js";

/** One case of one op, by a name of its own. */
export interface ConformanceCase {
  readonly op: Op<readonly unknown[], unknown>;
  readonly name: string;
  readonly data: unknown;
}

export interface CaseResult {
  /** Largest error over all outputs, in the measure of `Output`. */
  readonly error: number;
  readonly tolerance: number;
  /** Where that is, with both values, the case and the seed. */
  readonly where: string;
}

/**
 * Every case of every op but those that the backend `lacks`. Only ops with a tolerance for int8 depend on a backend's
 * activations.
 */
export function conformanceCases(lacks: readonly string[] = []): ConformanceCase[] {
  return OPS.filter((op) => !lacks.includes(op.name)).flatMap((op) =>
    op.cases.map((data, i) => ({ op, data, name: `${op.name} ${i}: ${JSON.stringify(data).slice(0, 150)}` })),
  );
}

/** Runs a case on `backend` and on `oracle`, which must have the same activations, and compares. */
export async function runCase(
  c: ConformanceCase,
  backend: Backend,
  oracle: Backend,
  seed: number,
): Promise<CaseResult> {
  const expected = await oracleOutputs(c, oracle, seed);
  const got = await runCaseOn(c, backend, seed);
  const { f32, int8 = f32 } = c.op.tolerance;
  const tolerance = backend.info().activations === "int8" ? int8 : f32;
  let worst: CaseResult = { error: 0, tolerance, where: "" };
  for (const [name, reference] of Object.entries(expected)) {
    const output = got[name]!;
    for (let i = 0; i < reference.values.length; i++) {
      const error = elementError(output.values[i]!, reference, i);
      if (!(error > worst.error)) continue;
      const text = `${name}[${i}] is ${output.values[i]}, reference ${reference.values[i]}; ${c.name}, seed ${seed}`;
      worst = { error, tolerance, where: text };
    }
  }
  return worst;
}

function elementError(got: number, { values, magnitude }: Output, i: number): number {
  const reference = values[i]!;
  if (Object.is(got, reference) || got === reference) return 0;
  if (values instanceof Int32Array || !Number.isFinite(reference) || !Number.isFinite(got)) return Infinity;
  return Math.abs(got - reference) / (magnitude?.[i] ?? 1 + Math.abs(reference));
}

/** Oracles are slow, and several backends or instruction sets are held to the same one. */
const oracleCache = new WeakMap<Backend, Map<string, Outputs>>();

async function oracleOutputs(c: ConformanceCase, oracle: Backend, seed: number): Promise<Outputs> {
  const cache = oracleCache.get(oracle) ?? new Map<string, Outputs>();
  oracleCache.set(oracle, cache);
  const key = `${seed} ${c.name}`;
  const outputs = cache.get(key) ?? (await runCaseOn(c, oracle, seed));
  cache.set(key, outputs);
  return outputs;
}

/** Runs a case on one backend, through its checks, and frees what the case made. */
export async function runCaseOn(c: ConformanceCase, backend: Backend, seed: number): Promise<Outputs> {
  const { scope, end } = scoped(backend);
  try {
    return await c.op.run(scope, c.data, seededRng(seed));
  } finally {
    end();
  }
}

/** A checked view of a backend that frees at its end what was made through it. */
export function scoped(backend: Backend): { scope: Backend; end(): void } {
  const handles: (Tensor | Weight | KvCache)[] = [];
  const keep = <Handle extends Tensor | Weight | KvCache>(handle: Handle): Handle => {
    handles.push(handle);
    return handle;
  };
  const scope: Backend = {
    ...checked(backend),
    tensor: (dtype, shape) => keep(backend.tensor(dtype, shape)),
    weight: (stored, options) => keep(backend.weight(stored, options)),
    kvCache: (layout) => keep(backend.kvCache(layout)),
  };
  return {
    scope,
    end: () => {
      for (const handle of handles) backend.free(handle);
    },
  };
}
