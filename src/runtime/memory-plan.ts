import { KV_DTYPES } from "../backend/kv.js";
import type { StoredDtype } from "../base/dtype.js";
import { GemmaError } from "../base/errors.js";
import type { EngineOptions } from "../engine/engine.js";
import { HEAD_ROWS } from "../engine/step.js";
import type { GemmaConfig } from "../model/config.js";
import type { MatchedTensor } from "../model/match.js";
import { estimateMemory, type MemoryEstimate } from "../model/memory.js";
import type { LoadSettings } from "./protocol.js";

const DEFAULT_CONTEXT = 8192;
const STEP_ROWS = 256;
const DEFAULT_SEQUENCES = 16;
const DEFAULT_PREFIX_BYTES = 32 << 20;
const MAX_SEQUENCES = STEP_ROWS; // each has a row in every step

/**
 * The engine's options for a model, defaults filled in.
 * @throws ERR_RANGE for a context longer than the model was trained for, or no sequences; ERR_USAGE for an unknown type
 */
export function engineOptions(
  settings: Pick<LoadSettings, "contextLength" | "kv" | "activations" | "maxSequences" | "prefixCacheBytes">,
  config: GemmaConfig,
): EngineOptions {
  const trained = config.maxPositionEmbeddings;
  const contextLength = settings.contextLength ?? Math.min(DEFAULT_CONTEXT, trained);
  if (!Number.isInteger(contextLength) || contextLength < 1 || contextLength > trained) {
    throw new GemmaError(
      "ERR_RANGE",
      `context: must be an integer in 1..${trained}, what the model was trained for, got ${contextLength}`,
    );
  }
  const activations = oneOf("activations", ["int8", "f32"], settings.activations ?? "int8");
  const kv = oneOf("kv", KV_DTYPES, settings.kv ?? (activations === "f32" ? "f32" : "bf16"));
  const maxSequences = settings.maxSequences ?? DEFAULT_SEQUENCES;
  if (!Number.isInteger(maxSequences) || maxSequences < 1 || maxSequences > MAX_SEQUENCES) {
    throw new GemmaError("ERR_RANGE", `maxSequences: must be an integer in 1..${MAX_SEQUENCES}, got ${maxSequences}`);
  }
  const { prefixCacheBytes = DEFAULT_PREFIX_BYTES } = settings;
  if (!Number.isSafeInteger(prefixCacheBytes) || prefixCacheBytes < 0) {
    throw new GemmaError("ERR_RANGE", `prefixCacheBytes: must be an integer of at least 0, got ${prefixCacheBytes}`);
  }
  return { contextLength, kv, maxSequences, maxRows: STEP_ROWS, prefixCacheBytes };
}

/** Callers without TypeScript may pass anything. */
function oneOf<T extends string>(what: string, values: readonly T[], value: T): T {
  if (values.includes(value)) return value;
  throw new GemmaError("ERR_USAGE", `${what}: must be one of ${values.join(", ")}, got ${String(value)}`);
}

/** What weights of a type that are stored in so many bytes take in memory. */
export type PackedBytes = (dtype: StoredDtype, storedBytes: number) => number;

export const asStored: PackedBytes = (_, storedBytes) => storedBytes;

/** What one conversation of full length takes. */
export function neededMemory(
  config: GemmaConfig,
  tensors: readonly MatchedTensor[],
  options: EngineOptions,
  packedBytes: PackedBytes = asStored,
): MemoryEstimate {
  const bytes = tensors.reduce((sum, { dtype, info }) => sum + packedBytes(dtype, info.sizeBytes), 0);
  return neededMemoryOf(config, bytes, options);
}

/** The same for weights of so many bytes. */
export function neededMemoryOf(config: GemmaConfig, weightsBytes: number, options: EngineOptions): MemoryEstimate {
  return estimateMemory(config, {
    tensors: [{ info: { sizeBytes: weightsBytes } }],
    contextLength: options.contextLength,
    kvDtype: options.kv,
    stepRows: options.maxRows,
    outputRows: HEAD_ROWS,
  });
}

/** What two models take together. */
export function sumMemory(a: MemoryEstimate, b: MemoryEstimate): MemoryEstimate {
  return {
    weightsBytes: a.weightsBytes + b.weightsBytes,
    kvBytes: a.kvBytes + b.kvBytes,
    scratchBytes: a.scratchBytes + b.scratchBytes,
    totalBytes: a.totalBytes + b.totalBytes,
  };
}

/**
 * @param limit bytes that there are, and who says so, e.g. "this machine has"
 * @throws ERR_OUT_OF_MEMORY before anything is allocated that they cannot hold
 */
export function checkMemory(
  where: string,
  needed: MemoryEstimate,
  limit: { readonly bytes: number; readonly says: string },
): void {
  if (needed.totalBytes <= limit.bytes) return;
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const parts = `weights ${gb(needed.weightsBytes)}, cache ${gb(needed.kvBytes)}, scratch ${gb(needed.scratchBytes)}`;
  throw new GemmaError(
    "ERR_OUT_OF_MEMORY",
    `${where}: needs about ${gb(needed.totalBytes)} (${parts}), ${limit.says} ${gb(limit.bytes)}`,
    { hint: "choose a smaller model or quantisation, a smaller --ctx (contextLength), or --kv int8" },
  );
}
