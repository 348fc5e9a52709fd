import { type Checkpoint, openCheckpointIn } from "./checkpoint.js";
import { disk } from "./files.js";

export { type Checkpoint, loadVocabulary, type TokenizerSource } from "./checkpoint.js";

/** openCheckpointIn for the disk. */
export function openCheckpoint(path: string): Checkpoint {
  return openCheckpointIn(disk, path);
}
