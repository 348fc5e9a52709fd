import { BLOCK_SIZES, STORED_DTYPES, type StoredDtype } from "../base/dtype.js";
import { GemmaError } from "../base/errors.js";
import type { TensorInfo } from "../format/tensor-info.js";
import type { GemmaConfig } from "./config.js";
import { type ExpectedTensor, expectedTensors, hfPrefix, type Naming } from "./tensors.js";

/** A needed tensor together with where it is stored; its type and shape have been checked. */
export interface MatchedTensor extends ExpectedTensor {
  readonly info: TensorInfo;
  readonly dtype: StoredDtype;
}

export interface MatchOptions {
  readonly naming: Naming;
  /** false: config.json announces a head that is not the embedding. Default: true. */
  readonly tiedHead?: boolean;
  /** For messages. */
  readonly where: string;
}

/** Types that norms are stored in; matrices may also have any of the quantised ones. */
export const FLOAT_DTYPES: readonly StoredDtype[] = ["F32", "F16", "BF16"];

/** Left-overs that say nothing: buffers of old transformers, and the vision tower of multimodal checkpoints. */
const HARMLESS_EXTRAS = [
  /\.rotary_emb\.inv_freq$/,
  /(^|\.)vision_tower\./,
  /(^|\.)multi_modal_projector\./,
  /^(v|mm)\./, // the vision tower in GGUF
];
/** Names of a stored head; it is the embedding again. */
export const HEADS: readonly string[] = ["lm_head.weight", "language_model.lm_head.weight", "output.weight"];

/**
 * Finds every tensor that `config` needs among `tensors`, and checks names, types and shapes; no weight is read
 * except to compare a stored head with the embedding.
 *
 * @throws ERR_MISSING_TENSOR, ERR_SHAPE_MISMATCH, ERR_INVALID_DTYPE
 * @throws ERR_UNSUPPORTED_OPTION for tensors that the model would have to use and cannot: a head of its own, biases
 */
export function matchTensors(
  config: GemmaConfig,
  tensors: ReadonlyMap<string, TensorInfo>,
  options: MatchOptions,
): readonly MatchedTensor[] {
  const { naming, where } = options;
  const prefix = naming === "hf" ? hfPrefix(tensors, where) : "";
  const used = new Set<string>();
  const matched = expectedTensors(config, naming).map((expected) => {
    const name = prefix + expected.storedName;
    const info = tensors.get(name);
    if (info === undefined) {
      throw new GemmaError("ERR_MISSING_TENSOR", `${where}: ${name} must be present, got no such tensor`);
    }
    used.add(name);
    return { ...expected, info, dtype: checkStored(info, expected.shape, where) };
  });

  const embedding = matched[0]!.info;
  const head = HEADS.map((name) => tensors.get(name)).find((info) => info !== undefined);
  checkHead(head, embedding, options);
  for (const name of tensors.keys()) {
    if (used.has(name) || HEADS.includes(name) || HARMLESS_EXTRAS.some((pattern) => pattern.test(name))) continue;
    throw new GemmaError(
      "ERR_UNSUPPORTED_OPTION",
      `${where}: every tensor must be one that the model uses, got ${name.slice(0, 120)}`,
    );
  }
  return matched;
}

/** Checks shape and type; a tensor of two dimensions may be quantised. */
export function checkStored(info: TensorInfo, shape: readonly number[], where: string): StoredDtype {
  if (info.shape.length !== shape.length || info.shape.some((size, i) => size !== shape[i])) {
    throw new GemmaError(
      "ERR_SHAPE_MISMATCH",
      `${where}: ${info.name} must be [${shape.join(", ")}] by the configuration, got [${info.shape.join(", ")}]`,
    );
  }
  const allowed = shape.length === 2 ? STORED_DTYPES : FLOAT_DTYPES;
  const dtype = allowed.find((name) => name === info.dtype);
  if (dtype === undefined) {
    const kinds = shape.length === 2 ? "F32, F16, BF16 or a known quantised type" : "F32, F16 or BF16";
    throw new GemmaError("ERR_INVALID_DTYPE", `${where}: ${info.name} must be ${kinds}, got ${info.dtype}`);
  }
  const width = shape.at(-1)!;
  if (width % BLOCK_SIZES[dtype].elements !== 0) {
    throw new GemmaError("ERR_INVALID_DTYPE", `${where}: ${info.name} must have rows of whole blocks, got ${width}`);
  }
  return dtype;
}

/** Gemma's head is its embedding. A stored head passes if the configuration ties it, or if it is the same bytes. */
function checkHead(head: TensorInfo | undefined, embedding: TensorInfo, options: MatchOptions): void {
  const { tiedHead = true, naming, where } = options;
  if (head === undefined) {
    if (tiedHead) return;
    throw new GemmaError(
      "ERR_MISSING_TENSOR",
      `${where}: lm_head.weight must be present when tie_word_embeddings is false, got no such tensor`,
    );
  }
  if ((naming === "hf" && tiedHead) || sameBytes(head, embedding)) return;
  throw new GemmaError(
    "ERR_UNSUPPORTED_OPTION",
    `${where}: ${head.name} must equal the embedding (a tied head), got other values`,
  );
}

const COMPARE_BYTES = 1 << 20;

function sameBytes(a: TensorInfo, b: TensorInfo): boolean {
  if (a.dtype !== b.dtype || a.sizeBytes !== b.sizeBytes) return false;
  for (let done = 0; done < a.sizeBytes; done += COMPARE_BYTES) {
    const length = Math.min(COMPARE_BYTES, a.sizeBytes - done);
    const left = a.source.read(a.offset + done, length);
    const right = b.source.read(b.offset + done, length);
    if (left.some((byte, i) => byte !== right[i])) return false;
  }
  return true;
}
