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

const SEED = 4_711;
const CALLS = Number(process.env.GEMMA_FUZZ_CALLS ?? 30_000);

/** Functions that may be called with anything, and what their arguments are: see addon.ts. */
const SIGNATURES: Readonly<Record<Exclude<keyof NativeAddon, "isas" | "defaultThreads">, string>> = {
  createBackend: "isa threads flag",
  backendIsa: "be",
  disposeBackend: "be",
  createTensor: "be flag elements",
  writeF32: "be f32s tensor",
  writeI32: "be i32s tensor",
  readF32: "be f32s tensor",
  readI32: "be i32s tensor",
  freeTensor: "be handle",
  createWeight: "be dtype dim width",
  packRows: "be handle row bytes",
  weightBytes: "be handle",
  freeWeight: "be handle",
  createCache: "be kv dim dim i32s i32s",
  cacheBytes: "be handle",
  freeCache: "be handle",
  embed: "be dim scalar handle tensor tensor",
  matmul: "be dim handle tensor tensor",
  rmsNorm: "be dim width scalar tensor tensor tensor",
  add: "be dim width tensor tensor tensor",
  geglu: "be dim width tensor tensor tensor",
  softCap: "be dim width scalar tensor",
  gatherRows: "be dim dim width tensor tensor tensor",
  rope: "be dim width width scalar scalar tensor tensor",
  writeKv: "be dim handle dim dim dim tensor tensor tensor tensor tensor",
  attention: "be dim width handle dim dim dim tensor tensor tensor scalar scalar scalar tensor tensor",
  loraDelta: "be dim width dim dim scalar tensor tensor tensor tensor",
  logProbs: "be dim width dim tensor tensor tensor tensor tensor",
  sample: "be dim width f64s i32s f32s u32s tensor tensor",
};

test.skipIf(available !== true)(
  `${CALLS} calls with wrong arguments never crash, seed ${SEED}`,
  { timeout: 120_000 },
  () => {
    const addon = loadAddon();
    const rng = seededRng(SEED);
    const handles = { createBackend: [] as number[], others: [] as number[] };
    const names = Object.keys(SIGNATURES) as (keyof typeof SIGNATURES)[];
    let succeeded = 0;
    for (let i = 0; i < CALLS; i++) {
      const name = pick(rng, names);
      // Rarely, so that there is something to work on; and few backends, each of which has threads.
      if (name === "disposeBackend" && rng.uniform() < 0.95) continue;
      if (name.startsWith("free") && rng.uniform() < 0.7) continue;
      if (name === "createBackend" && handles.createBackend.length > 4) {
        addon.disposeBackend(handles.createBackend.shift() as never);
      }
      const args = SIGNATURES[name].split(" ").flatMap((kind) => argument(rng, kind, handles));
      if (rng.uniform() < 0.02) args.splice(rng.integer(args.length), 1);
      try {
        const result = (addon[name] as (...args: unknown[]) => unknown)(...args);
        succeeded++;
        if (typeof result === "number" && name.startsWith("create")) {
          (name === "createBackend" ? handles.createBackend : handles.others).push(result);
          if (handles.others.length > 60) handles.others.shift();
        }
      } catch (error) {
        expect(error, `${name}(${args})`).toBeInstanceOf(GemmaError);
      }
    }
    for (const backend of handles.createBackend) addon.disposeBackend(backend as never);
    expect(succeeded).toBeGreaterThan(CALLS / 50);
  },
);

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
function argument(rng: Rng, kind: string, handles: { createBackend: number[]; others: number[] }): unknown[] {
  if (rng.uniform() < 0.01) return [pick(rng, STRANGE)];
  const count = rng.integer(70);
  const numbers = () =>
    Array.from({ length: count }, () => (rng.uniform() < 0.9 ? rng.integer(4) : rng.normal() * 1e9));
  switch (kind) {
    case "be":
      return [handles.createBackend.at(-1 - rng.integer(2)) ?? 0];
    case "handle":
      return [pick(rng, handles.others) ?? 0];
    case "tensor":
      return [pick(rng, handles.others) ?? 0, rng.uniform() < 0.8 ? 0 : rng.integer(40)];
    case "isa":
      return [pick(rng, ["", "avx512", "avx2", "neon", "scalar", "mmx"])];
    case "threads":
      return [rng.integer(4)];
    case "flag":
      return [rng.uniform() < 0.5];
    case "dtype":
      return [pick(rng, [...STORED_DTYPES, "Q9"])];
    case "kv":
      return [rng.integer(4)];
    case "elements":
      return [pick(rng, [0, 1, 7, 64, 512, 4096, 70_000])];
    case "dim":
      return [pick(rng, [0, 1, 1, 1, 2, 2, 3, 5, 16, 17])];
    case "width":
      return [pick(rng, [0, 1, 2, 4, 8, 32, 33, 256, 512])];
    case "row":
      return [pick(rng, [0, 0, 0, 16])];
    case "scalar":
      return [pick(rng, [0, 1, 0.5, -1, 1e-6, 10_000, 1e300, Number.NaN])];
    case "bytes":
      return [Uint8Array.from({ length: pick(rng, [0, 18, 34, 144, 288, 544, 576, 2304]) }, () => rng.integer(256))];
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
