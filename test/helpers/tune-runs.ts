import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Dataset, resumeTuning, type TuneCallOptions, tune } from "../../src/runtime/tune.js";
import type { TuneOptions } from "../../src/tune/run/config.js";
import type { TuneEvent } from "../../src/tune/run/events.js";
import { TINY } from "./tiny-models.js";

/** Eight short questions with answers. */
export const ROWS = Array.from({ length: 8 }, (_, i) => ({ prompt: `${i}+${i}=`, completion: `${2 * i}` }));

export const PREFERENCES = ROWS.map(({ prompt, completion }) => ({ prompt, chosen: completion, rejected: "no" }));

/** Two epochs of three steps, of a few tokens each. */
export const SMALL = {
  rank: 2,
  targets: ["q", "v", "down"],
  learningRate: 1e-2,
  batchExamples: 2,
  epochs: 2,
  heldOutCount: 2,
  evalEvery: 4,
  checkpointEvery: 2,
  template: "none",
  seed: 7,
  activations: "f32",
} as const satisfies TuneOptions;

const HERE = { backend: "reference", inProcess: true } as const;

/** A folder that is gone after the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "gemma-tune-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A run on the tiny Gemma 3, in this thread. */
export function tinyRun(out: string, options: Partial<TuneCallOptions> = {}, data: Dataset = ROWS) {
  return tune(TINY.gemma3, data, { ...SMALL, ...HERE, ...options, out } as TuneCallOptions);
}

export function tinyResume(out: string, options: Parameters<typeof resumeTuning>[1] = {}) {
  return resumeTuning(out, { ...HERE, data: ROWS, ...options });
}

export async function eventsOf(run: AsyncIterable<TuneEvent>): Promise<TuneEvent[]> {
  const events: TuneEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

export function adapterBytes(out: string): Buffer {
  return readFileSync(join(out, "adapter", "adapter_model.safetensors"));
}

export function ofType<T extends TuneEvent["type"]>(events: readonly TuneEvent[], type: T) {
  return events.filter((event): event is Extract<TuneEvent, { type: T }> => event.type === type);
}
