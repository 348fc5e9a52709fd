import type { Backend } from "../backend/backend.js";
import { GemmaError } from "../base/errors.js";
import { DRAFT_ROWS } from "../engine/draft-model.js";
import type { DraftParts, EngineOptions } from "../engine/engine.js";
import { type Checkpoint, loadVocabulary } from "../load/checkpoint.js";
import type { MemoryEstimate } from "../model/memory.js";
import { loadWeights } from "../model/weights.js";
import type { Vocabulary } from "../tokenizer/vocabulary.js";
import { neededMemory } from "./memory-plan.js";

/** What a draft model takes beside the model. */
export function draftMemory({ config, tensors }: Checkpoint, options: EngineOptions): MemoryEstimate {
  return neededMemory(config, tensors, { ...options, maxRows: DRAFT_ROWS });
}

/** Loads the draft model of `base`, whose vocabulary it must have. @throws ERR_BASE_MISMATCH, ERR_MISSING_FILE */
export async function loadDraft(
  backend: Backend,
  draft: Checkpoint,
  base: Checkpoint,
  options: {
    readonly vocabulary: Vocabulary | undefined;
    readonly screenHead: boolean;
    readonly signal: AbortSignal;
    readonly onProgress: (done: number, total: number) => void;
  },
): Promise<DraftParts> {
  const { vocabulary, ...rest } = options;
  checkVocabulary(draft, base, vocabulary);
  const weights = await loadWeights(backend, draft.config, draft.tensors, { naming: draft.naming, ...rest });
  return { config: draft.config, weights, size: sizeBytes(draft) / sizeBytes(base) };
}

/** A larger model may have more tokens behind those of the draft model: room for images. */
function checkVocabulary(draft: Checkpoint, base: Checkpoint, vocabulary: Vocabulary | undefined): void {
  const what = `draft model ${draft.path}`;
  const hint = "choose a smaller model of the same generation";
  const [own, most] = [draft.config.vocabSize, base.config.vocabSize];
  if (own > most) {
    const sizes = `must have the ${most} tokens of ${base.path}, got ${own}`;
    throw new GemmaError("ERR_BASE_MISMATCH", `${what}: ${sizes}`, { hint });
  }
  if (vocabulary === undefined) {
    throw new GemmaError("ERR_MISSING_FILE", `${base.path}: a draft model needs a tokenizer to compare, got none`);
  }
  const different = firstDifference(loadVocabulary(draft), vocabulary);
  if (different === null) return;
  throw new GemmaError("ERR_BASE_MISMATCH", `${what}: must have the tokens of ${base.path}, got another ${different}`, {
    hint,
  });
}

/** The first of `some`'s tokens that is not the same among `all`. */
function firstDifference(some: Vocabulary, all: Vocabulary): string | null {
  for (let id = 0; id < some.size; id++) {
    if (id === all.size) return `token ${id}`;
    const [start, end] = [some.starts[id]!, some.starts[id + 1]!];
    const shift = all.starts[id]! - start;
    let isSame = end + shift === all.starts[id + 1]!;
    for (let at = start; isSame && at < end; at++) isSame = some.bytes[at] === all.bytes[at + shift];
    if (!isSame) return `token ${id}`;
  }
  return null;
}

function sizeBytes({ tensors }: Checkpoint): number {
  return tensors.reduce((sum, { info }) => sum + info.sizeBytes, 0);
}
