import { fstatSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { STORED_DTYPES } from "../../base/dtype.js";
import { GemmaError } from "../../base/errors.js";
import { type Rng, seededRng } from "../../base/rng.js";
import type { NativeAddon } from "./addon.js";
import { nativeBackend } from "./index.js";
import { loadAddon } from "./load-addon.js";

// No sequence of calls may crash the process: right calls are mixed with wrong handles, sizes and types. Run under the
// build with address checks (scripts/build-native.mjs --asan, GEMMA_NATIVE_ADDON) this also finds what does not crash.

const available = await nativeBackend.available();
if (available !== true) console.warn(`SKIPPED: fuzzing the addon: ${available}`);

const ownSeed = process.env.GEMMA_FUZZ_SEED;
const SEED = Number(ownSeed ?? 4_711);
const CALLS = Number(process.env.GEMMA_FUZZ_CALLS ?? 30_000);

/** Random bytes in a file that has no name, open until the process ends. */
const FILE_BYTES = 40_000;
const FILE = openTemporary(FILE_BYTES);
const FILE_INODE = fstatSync(FILE).ino;

type Pool = "backend" | "f32" | "i32" | "weight" | "cache";

/** What each function's arguments are: see addon.ts. A tensor (f32, i32) is two arguments. */
const SIGNATURES: Readonly<Record<Exclude<keyof NativeAddon, "isas" | "defaultThreads">, string>> = {
  createBackend: "isa threads flag",
  backendIsa: "backend",
  disposeBackend: "backend",
  createTensor: "backend flag elements",
  writeF32: "backend f32s f32",
  writeI32: "backend i32s i32",
  readF32: "backend f32s f32",
  readI32: "backend i32s i32",
  freeTensor: "backend tensor",
  createWeight: "backend dtype dim width flag",
  packRows: "backend weight row bytes",
  packFile: "backend weight descriptor inode fileSize offset",
  packed: "backend weight dim",
  isScreened: "backend weight",
  weightBytes: "backend weight",
  freeWeight: "backend weight",
  createCache: "backend kv dim width groups pages",
  cacheBytes: "backend cache",
  freeCache: "backend cache",
  embed: "backend dim scalar weight f32 i32",
  matmul: "backend dim weight f32 f32",
  matmuls: "backend dim two weight f32 weight f32 f32",
  gatedMatmul: "backend dim weight weight f32 f32",
  rmsNorm: "backend dim width scalar f32 f32 f32",
  add: "backend dim width f32 f32 f32",
  geglu: "backend dim width f32 f32 f32",
  softCap: "backend dim width scalar f32",
  gatherRows: "backend dim dim width f32 f32 i32",
  rope: "backend flag dim width width scalar scalar f32 i32",
  matmulBackward: "backend rows flag weight f32 f32",
  matmulWeightBackward: "backend rows width width f32 f32 f32",
  loraDeltaBackward: "backend rows width width width scalar flag flag f32 f32 f32 f32 f32 f32 f32",
  rmsNormBackward: "backend dim width scalar flag flag f32 f32 f32 f32 f32",
  attentionBackward:
    "backend rows rows heads kvHeads width scalar scalar dim f32 f32 f32 f32 f32 f32 f32 i32 i32 i32 i32",
  crossEntropy: "backend rows scalar weight flag f32 f32 f32 f32 i32 f32",
  dropout: "backend elements scalar elements elements f32 f32",
  packWeight: "backend weight f32",
  gegluBackward: "backend dim width f32 f32 f32 f32 f32",
  scatterAdd: "backend dim dim width scalar f32 f32 i32",
  adamW: "backend elements scalar scalar scalar scalar scalar scalar scalar f32 f32 f32 f32",
  sumSquares: "backend elements f32 f32",
  scale: "backend elements scalar f32 f32",
  writeKv: "backend dim cache dim dim dim i32 i32 i32 f32 f32",
  attention: "backend dim width cache dim dim dim i32 i32 i32 scalar scalar scalar f32 f32",
  loraDelta: "backend dim width dim dim scalar f32 f32 f32 f32",
  logProbs: "backend dim width dim f32 i32 f32 f32 i32",
  sample: "backend dim width f64s i32s f32s u32s i32 f32",
  chooseIds: "backend dim weight scalar settings i32 f32",
  scoreIds: "backend dim dim weight scalar f32 i32 f32 f32 i32 i32",
};

/** Probability of a call; others: 1. Objects should live for a while, and each backend has threads. */
const RARE: Partial<Record<keyof NativeAddon, number>> = {
  createBackend: 0.02,
  disposeBackend: 0.01,
  freeTensor: 0.3,
  freeWeight: 0.3,
  freeCache: 0.3,
};

test.skipIf(available !== true)(
  `${CALLS} calls with wrong arguments never crash, seed ${SEED}`,
  { timeout: 120_000 },
  () => {
    const addon = loadAddon();
    const rng = seededRng(SEED);
    const handles: Record<Pool, number[]> = { backend: [], f32: [], i32: [], weight: [], cache: [] };
    const names = Object.keys(SIGNATURES) as (keyof typeof SIGNATURES)[];
    const succeeded = new Set<string>();
    for (let i = 0; i < CALLS; i++) {
      const name = i === 0 ? "createBackend" : pick(rng, names);
      if (i > 0 && rng.uniform() > (RARE[name] ?? 1)) continue;
      const args =
        i === 0 ? ["", 2, true] : SIGNATURES[name].split(" ").flatMap((kind) => argument(rng, kind, handles));
      if (i > 0 && rng.uniform() < 0.01) args.splice(rng.integer(args.length), 1);
      try {
        const result = (addon[name] as (...args: unknown[]) => unknown)(...args);
        succeeded.add(name);
        const pool = POOLS[name]?.(args);
        if (pool !== undefined) handles[pool].push(result as number);
      } catch (error) {
        expect(error, `${name}(${args.map(String)})`).toBeInstanceOf(GemmaError);
      }
      if (handles.backend.length > 3) addon.disposeBackend(handles.backend.shift() as never);
      for (const pool of Object.values(handles)) if (pool.length > 12) pool.shift();
    }
    for (const backend of handles.backend) addon.disposeBackend(backend as never);
    if (ownSeed === undefined) expect(names.filter((name) => !succeeded.has(name))).toEqual([]);
  },
);

/** Where the result of a function goes. */
const POOLS: Partial<Record<keyof NativeAddon, (args: unknown[]) => Pool>> = {
  createBackend: () => "backend",
  createTensor: (args) => (args[1] === true ? "i32" : "f32"),
  createWeight: () => "weight",
  createCache: () => "cache",
};

function openTemporary(size: number): number {
  const path = join(tmpdir(), `gemma-fuzz-${process.pid}`);
  const rng = seededRng(SEED);
  writeFileSync(
    path,
    Uint8Array.from({ length: size }, () => rng.integer(256)),
  );
  const descriptor = openSync(path, "r");
  rmSync(path);
  return descriptor;
}

function pick<Item>(rng: Rng, items: readonly Item[]): Item {
  return items[rng.integer(items.length)]!;
}

const STRANGE = [
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 31,
  2 ** 53,
  2 ** 60,
  "x",
  null,
  undefined,
  {},
  [],
];

/** One argument, mostly of the right kind; a tensor is two. */
function argument(rng: Rng, kind: string, handles: Readonly<Record<Pool, number[]>>): unknown[] {
  if (rng.uniform() < 0.005) return [pick(rng, STRANGE)];
  const count = rng.integer(70);
  const numbers = () =>
    Array.from({ length: count }, () => (rng.uniform() < 0.9 ? rng.integer(4) : rng.normal() * 1e9));
  const from = (pool: Pool) => pick(rng, rng.uniform() < 0.01 ? handles.weight : handles[pool]) ?? 0;
  switch (kind) {
    case "backend":
      return [rng.uniform() < 0.98 ? handles.backend.at(-1) : pick(rng, handles.backend)];
    case "weight":
    case "cache":
      return [from(kind)];
    case "tensor":
      return [from(rng.uniform() < 0.5 ? "f32" : "i32")];
    case "f32":
    case "i32":
      return [from(kind), rng.uniform() < 0.9 ? 0 : rng.integer(40)];
    case "groups":
      return [Int32Array.from({ length: rng.integer(6) }, () => rng.integer(3))];
    case "pages":
      return [Int32Array.from({ length: 3 }, () => rng.integer(5) - (rng.uniform() < 0.02 ? 1 : 0))];
    case "isa":
      return [pick(rng, ["", "avx512bf16", "avx512", "avx2vnni", "avx2", "neoni8mm", "neon", "scalar", "mmx"])];
    case "threads":
      return [rng.integer(4)];
    case "flag":
      return [rng.uniform() < 0.5];
    case "dtype":
      return [pick(rng, [...STORED_DTYPES, "Q9"])];
    case "kv":
      return [rng.integer(4)];
    case "elements":
      return [pick(rng, [0, 7, 64, 512, 4096, 70_000, 70_000, 70_000])];
    case "dim":
      return [pick(rng, [0, 1, 1, 1, 1, 2, 2, 3, 5, 16, 17])];
    case "rows": // in several blocks, too
      return [pick(rng, [0, 1, 1, 2, 5, 17, 70, 600])];
    case "width":
      return [pick(rng, [0, 1, 2, 4, 8, 32, 33, 256, 512])];
    case "heads":
      return [pick(rng, [0, 1, 2, 4])];
    case "kvHeads":
      return [pick(rng, [0, 1, 1, 2])];
    case "two":
      return [2];
    case "row":
      return [pick(rng, [0, 0, 0, 16])];
    case "descriptor":
      return [rng.uniform() < 0.9 ? FILE : rng.integer(40)];
    case "inode":
      return [rng.uniform() < 0.95 ? FILE_INODE : rng.integer(99)];
    case "fileSize":
      return [rng.uniform() < 0.95 ? FILE_BYTES : rng.integer(2 * FILE_BYTES)];
    case "offset":
      return [rng.uniform() < 0.9 ? rng.integer(999) : rng.integer(2 * FILE_BYTES)];
    case "scalar":
      return [pick(rng, [0, 1, 0.5, -1, 1e-6, 10_000, 1e300, Number.NaN])];
    case "bytes":
      return [Uint8Array.from({ length: pick(rng, [0, 18, 34, 144, 288, 544, 576, 2304]) }, () => rng.integer(256))];
    case "settings":
      return [
        Float64Array.from([1, 5, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0], (n) => (rng.uniform() < 0.95 ? n : rng.integer(4))),
      ];
    case "f32s":
      return [Float32Array.from(numbers())];
    case "f64s":
      return [Float64Array.from(numbers())];
    case "u32s":
      return [Uint32Array.from(numbers())];
    default:
      return [Int32Array.from(numbers())];
  }
}
