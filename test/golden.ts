import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bytesSource } from "../src/format/byte-source.js";
import { parseSafetensors } from "../src/format/safetensors.js";

const fixtures = fileURLToPath(new URL("fixtures/", import.meta.url));
const shared = process.env.GEMMA_SHARED ?? fileURLToPath(new URL("../../shared/", import.meta.url));

/**
 * Where a golden file lies: among the fixtures, or, for those too large to be kept here, in the folder that
 * GEMMA_SHARED names. undefined, with a printed reason: nowhere.
 */
export function goldenPath(relative: string): string | undefined {
  const found = [`${fixtures}${relative}`, `${shared}/golden/${relative}`].find((path) => existsSync(path));
  if (found === undefined) console.warn(`skipped: ${relative} is not here (set GEMMA_SHARED to the folder of goldens)`);
  return found;
}

/** Where a file of the data folder lies beside the goldens. undefined, with a printed reason: nowhere. */
export function dataPath(relative: string): string | undefined {
  const path = `${shared}/data/${relative}`;
  if (existsSync(path)) return path;
  console.warn(`skipped: data/${relative} is not here (set GEMMA_SHARED to the folder that has data/ and golden/)`);
  return undefined;
}

/** Tensors of a safetensors file with reference values. */
export interface Golden {
  floats(name: string): Float32Array;
  /** I64 tensors: token ids. */
  ids(name: string): number[];
  shape(name: string): readonly number[];
  has(name: string): boolean;
  readonly names: readonly string[];
}

export function openGolden(path: string): Golden {
  const { tensors } = parseSafetensors(bytesSource(path, readFileSync(path)));
  const bytes = (name: string, dtype: string): ArrayBuffer => {
    const info = tensors.get(name);
    if (info?.dtype !== dtype) throw new Error(`${path}: ${name} must be ${dtype}, got ${info?.dtype ?? "nothing"}`);
    return new Uint8Array(info.source.read(info.offset, info.sizeBytes)).buffer;
  };
  return {
    floats: (name) => new Float32Array(bytes(name, "F32")),
    ids: (name) => Array.from(new BigInt64Array(bytes(name, "I64")), Number),
    shape: (name) => tensors.get(name)!.shape,
    has: (name) => tensors.has(name),
    names: [...tensors.keys()],
  };
}

/** Largest |got - wanted|; NaN and lengths that differ count as infinite. */
export function maxDifference(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < got.length; i++) {
    const difference = Math.abs(got[i]! - wanted[i]!);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}

/** Root of the mean squared difference. */
export function rmsDifference(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < got.length; i++) sum += (got[i]! - wanted[i]!) ** 2;
  return Math.sqrt(sum / got.length);
}

/** The index of the largest value. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
