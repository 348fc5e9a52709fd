import { GemmaError } from "../base/errors.js";
import { loadVocabulary, openCheckpoint } from "../load/open.js";
import { resolveModel } from "../load/pull.js";
import type { PullOptions } from "../load/pull-options.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import type { Example } from "../tune/data/example.js";
import { prepareData } from "../tune/run/prepare-data.js";
import { examplesHash } from "../tune/run/record.js";
import { readRecord } from "../tune/run/run-folder.js";
import { openData } from "./tune-data.js";

export interface HeldOutExamples {
  readonly examples: readonly Example[];
  /** Of their token ids, as config.json has it. */
  readonly sha256: string;
}

/**
 * What the run in a folder measured instead of learning it: read, or drawn, again.
 *
 * @returns null: the run held nothing out
 * @throws ERR_USAGE where the data have changed, so that something of it may have been learned, or were rows of a program;
 *   ERR_MISSING_FILE, and what reading them throws
 */
export async function heldOutOfRun(folder: string, pull: PullOptions = {}): Promise<HeldOutExamples | null> {
  const record = readRecord(folder);
  if (record === null) throw new GemmaError("ERR_MISSING_FILE", `${folder}: must be the folder of a run, got none`);
  const { data, config } = record;
  if (!(config.heldOutShare || config.heldOutCount) && data.heldOut?.length === 0) return null;
  if (data.train === null || data.heldOut === null) {
    throw new GemmaError("ERR_USAGE", `${folder}: held-out examples must come from files, got rows of a program`);
  }
  const { path } = await resolveModel(record.model.name, pull);
  const checkpoint = openCheckpoint(path);
  try {
    const tokenizer = Tokenizer.fromVocabulary(loadVocabulary(checkpoint));
    const from = { data: data.train, heldOutData: data.heldOut };
    const { train, heldOut, heldOutExamples } = await prepareData(
      await openData(from, pull),
      tokenizer,
      config,
      pull.signal,
    );
    if (examplesHash(train) !== data.sha256.train || examplesHash(heldOut) !== data.sha256.heldOut) {
      throw new GemmaError("ERR_USAGE", `${folder}: data must be as the run has read them, got other examples`);
    }
    return { examples: heldOutExamples, sha256: data.sha256.heldOut };
  } finally {
    checkpoint.close();
  }
}
