import { GemmaError } from "../base/errors.js";
import { quantise, type WrittenDtype } from "../format/quantise.js";
import type { MatchedTensor } from "../model/match.js";
import { weightRows } from "../model/weight-rows.js";
import type { Checkpoint } from "./open.js";

/**
 * The new values of a tensor, undefined for one that stays as it is; asked for more than once, iterated once. They are f32 in
 * slices of whole rows, each of which may be overwritten as soon as the next one is asked for. Norm weights are offset from
 * one, as a backend holds them.
 */
export type NewValues = (tensor: MatchedTensor) => Iterable<Float32Array> | AsyncIterable<Float32Array> | undefined;

export interface ExportProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface ExportOptions {
  /** Replace what has the target's name. Default: false. */
  readonly replace?: boolean | undefined;
  /** The chat template of what was tuned; a base that has one keeps its own. */
  readonly chatTemplate?: string | null | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ExportProgress) => void) | undefined;
}

/** A tensor of the model as bytes of type `dtype`. @param add to each value: GGUF stores norm weights with the one added */
export async function* encoded(
  tensor: MatchedTensor,
  base: Checkpoint,
  values: ReturnType<NewValues>,
  dtype: WrittenDtype,
  add: 0 | 1,
): AsyncGenerator<Uint8Array, void> {
  for await (const slice of values ?? weightRows(tensor, base.naming)) {
    try {
      yield quantise(dtype, add === 0 ? slice : slice.map((value) => value + add));
    } catch (error) {
      if (!(error instanceof GemmaError)) throw error;
      throw new GemmaError(error.code, `${tensor.info.name}: ${error.message}`, { cause: error });
    }
  }
}

const COPY_BYTES = 1 << 20;

/** A stored tensor's own bytes. */
export function* stored({ info }: Pick<MatchedTensor, "info">): Generator<Uint8Array, void> {
  const buffer = new Uint8Array(COPY_BYTES);
  for (let at = 0; at < info.sizeBytes; at += COPY_BYTES) {
    yield info.source.read(info.offset + at, Math.min(COPY_BYTES, info.sizeBytes - at), buffer);
  }
}
