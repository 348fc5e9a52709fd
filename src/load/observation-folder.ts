import { join } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { LineFile, readWholeLines } from "../disk/line-file.js";
import type { Observation } from "../eval/tuning/compare-tuning.js";
import { withLock } from "./lock.js";
import { makeFolder } from "./make-folder.js";

const FILE = "observations.jsonl";

export interface OpenObservations {
  /** What was observed before, by key. */
  readonly recorded: ReadonlyMap<string, unknown>;
  /** Adds a line; it is the file's when this returns. */
  append(observation: Observation): void;
}

/**
 * Works with what models said before, kept in folder `path` by keys of all that it depends on: a comparison that was stopped goes on, one
 * with more measures asks only what is new. One process at a time.
 */
export async function withObservations<T>(
  path: string,
  options: { readonly signal?: AbortSignal; readonly onWait?: () => void },
  work: (open: OpenObservations, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    await makeFolder(path);
    return await withLock(join(path, "report.lock"), options, async (signal) => {
      const name = join(path, FILE);
      const recorded = new Map<string, unknown>();
      const sizeBytes = readWholeLines(name, (text, line) => {
        const { key, observed } = observationOf(text, `${name}:${line}`);
        recorded.set(key, observed);
        return true;
      });
      const file = new LineFile(name, sizeBytes);
      try {
        return await work({ recorded, append: (observation) => file.append(observation) }, signal);
      } finally {
        file.close();
      }
    });
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

function observationOf(text: string, where: string): Observation {
  try {
    const value = JSON.parse(text) as Observation;
    if (typeof value.key === "string" && value.observed !== undefined) return value;
  } catch {
    // told below
  }
  throw new GemmaError(
    "ERR_INVALID_JSON",
    `${where}: must be an observation, got ${JSON.stringify(text.slice(0, 40))}`,
    {
      hint: "the file was changed or damaged; remove it, and everything is asked anew",
    },
  );
}
