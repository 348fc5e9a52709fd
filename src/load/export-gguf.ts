import { basename } from "node:path";
import { BLOCK_SIZES } from "../base/dtype.js";
import { GemmaError } from "../base/errors.js";
import { bytesSource } from "../format/byte-source.js";
import { parseGguf } from "../format/gguf.js";
import { type GgufData, type GgufPairs, ggufFile, ggufLayout, ggufPairs, joinPairs } from "../format/gguf-write.js";
import { WRITTEN_DTYPES, type WrittenDtype } from "../format/quantise.js";
import type { GemmaConfig } from "../model/config.js";
import { parseGgufConfig } from "../model/config-gguf.js";
import { ggufConfig } from "../model/config-gguf-write.js";
import { HEADS, type MatchedTensor } from "../model/match.js";
import { expectedTensors } from "../model/tensors.js";
import { ggufTokenizer } from "../tokenizer/write-gguf.js";
import { chatTemplate } from "./dialogue.js";
import { type ExportOptions, encoded, type NewValues, stored } from "./export.js";
import { type Checkpoint, loadVocabulary } from "./open.js";
import { expectTarget, writeWhole } from "./write-whole.js";

export interface GgufOptions extends ExportOptions {
  /**
   * Of matrices that are written anew. Default: a matrix keeps its type, or becomes Q8_0 where that is a quantised type that
   * is only read. Rows that are no whole blocks become BF16. Norms are F32.
   */
  readonly dtype?: WrittenDtype | undefined;
  /** What the file calls a model that is converted (general.name). Default: the folder's name. */
  readonly name?: string | undefined;
}

/**
 * Writes a model as a GGUF file. Of a GGUF file all metadata and all tensors that do not change are copied byte for byte; of a
 * Hugging Face folder the text model is converted, with its configuration, tokenizer and chat template. Memory holds a slice of
 * one tensor.
 *
 * @returns bytes written
 * @throws ERR_USAGE when `path` exists, ERR_UNSUPPORTED_OPTION for a configuration that GGUF has no keys for, ERR_DISK_FULL,
 *   ERR_IO, ERR_INVALID_VALUE (a weight that is not finite), the reason of `signal`, what loadVocabulary throws
 */
export async function writeModelGguf(
  path: string,
  base: Checkpoint,
  changed: NewValues,
  options: GgufOptions = {},
): Promise<number> {
  const { pairs, alignment, tensors } =
    base.naming === "gguf" ? rewritten(base, changed, options) : converted(base, changed, options);
  const totalBytes = ggufLayout(pairs, tensors, alignment).sizeBytes;
  await expectTarget(path, totalBytes, options.replace ?? false);
  await writeWhole(path, ggufFile(pairs, tensors, alignment), {
    signal: options.signal,
    onBytes: (doneBytes) => options.onProgress?.({ doneBytes, totalBytes }),
  });
  return totalBytes;
}

interface GgufParts {
  readonly pairs: GgufPairs;
  readonly alignment?: number;
  readonly tensors: readonly GgufData[];
}

function rewritten(base: Checkpoint, changed: NewValues, { dtype, chatTemplate: added }: GgufOptions): GgufParts {
  const { source } = base.tensors[0]!.info;
  const { pairs, alignment } = parseGguf(source);
  const matched = new Map(base.tensors.map((tensor) => [tensor.info.name, tensor]));
  const tensors = [...base.allTensors.values()].map((info): GgufData => {
    const tensor = matched.get(info.name) ?? (HEADS.includes(info.name) ? base.tensors[0]! : undefined);
    if (tensor === undefined || changed(tensor) === undefined) {
      return { name: info.name, dtype: info.dtype, shape: info.shape, data: () => stored({ info }) };
    }
    return anew(info.name, tensor, base, changed, dtype);
  });
  const own: GgufPairs = { count: pairs.count, bytes: source.read(pairs.offset, pairs.sizeBytes) };
  const takesTemplate = typeof added === "string" && chatTemplate(base) === null;
  const more = takesTemplate ? ggufPairs([["tokenizer.chat_template", added]]) : null;
  return { pairs: more ? joinPairs(own, more) : own, alignment, tensors };
}

function converted(
  base: Checkpoint,
  changed: NewValues,
  { dtype, name = basename(base.path), chatTemplate: added }: GgufOptions,
): GgufParts {
  const names = expectedTensors(base.config, "gguf");
  const pairs = ggufPairs([
    ...ggufConfig(base.config, name),
    ...ggufTokenizer(loadVocabulary(base), base.config.vocabSize, chatTemplate(base) ?? added ?? null),
  ]);
  expectSameConfig(pairs, base);
  return { pairs, tensors: base.tensors.map((tensor, i) => anew(names[i]!.storedName, tensor, base, changed, dtype)) };
}

function anew(
  name: string,
  tensor: MatchedTensor,
  base: Checkpoint,
  changed: NewValues,
  dtype: WrittenDtype | undefined,
): GgufData {
  const isNorm = tensor.shape.length === 1;
  const type = isNorm ? "F32" : matrixType(tensor, dtype);
  return {
    name,
    dtype: type,
    shape: tensor.shape,
    data: () => encoded(tensor, base, changed(tensor), type, isNorm ? 1 : 0),
  };
}

function matrixType(tensor: MatchedTensor, dtype: WrittenDtype | undefined): WrittenDtype {
  const wanted = dtype ?? WRITTEN_DTYPES.find((type) => type === tensor.dtype) ?? "Q8_0";
  return tensor.shape[1]! % BLOCK_SIZES[wanted].elements === 0 ? wanted : "BF16";
}

/** What is written must be read as the same model: GGUF has no keys for some numbers. */
function expectSameConfig(pairs: GgufPairs, base: Checkpoint): void {
  const { metadata } = parseGguf(bytesSource("header", ggufLayout(pairs, []).header));
  const read = parseGgufConfig(metadata, base.path);
  for (const key of Object.keys(base.config) as (keyof GemmaConfig)[]) {
    const [wanted, got] = [base.config[key], read[key]].map(comparable);
    if (key === "eosTokenIds" || wanted === got) continue; // the tokenizer's own, which generation goes by
    throw new GemmaError(
      "ERR_UNSUPPORTED_OPTION",
      `${base.path}: ${key} must be one that GGUF has a key for, got ${wanted} (it would be read as ${got})`,
      { hint: "write a safetensors folder instead" },
    );
  }
}

/** GGUF's real numbers are f32. */
function comparable(value: GemmaConfig[keyof GemmaConfig]): string {
  return typeof value === "number" ? String(Math.fround(value)) : String(value);
}
