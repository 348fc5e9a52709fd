import { createHash } from "node:crypto";
import { z } from "zod";
import { BACKEND_NAMES } from "../../backend/backend.js";
import { GemmaError } from "../../base/errors.js";
import type { EncodedExample } from "../data/encode-examples.js";
import type { TuneTemplate } from "../data/pieces.js";
import { parseTuneConfig, type TuneConfig } from "./config.js";

const SHA256 = z.string().regex(/^[0-9a-f]{64}$/);

const SCHEMA = z.strictObject({
  version: z.literal(1),
  /** Of the program that began the run. */
  gemma: z.string(),
  /** What computes it: on another one the bits differ. */
  backend: z.strictObject({ name: z.enum(BACKEND_NAMES), isa: z.string() }),
  /** As it was asked for, and what its files hold. */
  model: z.strictObject({ name: z.string(), sha256: SHA256 }),
  /** Paths and names; null: rows of a program. The hashes are of the token ids that are learned, and measured. */
  data: z.strictObject({
    train: z.array(z.string()).nullable(),
    heldOut: z.array(z.string()).nullable(),
    sha256: z.strictObject({ train: SHA256, heldOut: SHA256 }),
  }),
  config: z.looseObject({}),
});

/** Nothing in it depends on the model any more. */
export type RunConfig = TuneConfig & { readonly template: TuneTemplate };

/** config.json: what a run was begun with, and needs to go on. */
export type RunRecord = Omit<z.infer<typeof SCHEMA>, "config"> & { readonly config: RunConfig };

/** @throws ERR_INVALID_JSON, and what parseTuneConfig throws */
export function parseRecord(text: string, where: string): RunRecord {
  try {
    const { config: told, ...record } = SCHEMA.parse(JSON.parse(text));
    const config = parseTuneConfig(told, where);
    const { template } = config;
    if (template !== undefined) return { ...record, config: { ...config, template } };
    throw new GemmaError("ERR_INVALID_JSON", `${where}: must have a template, got none`);
  } catch (error) {
    if (error instanceof GemmaError) throw error;
    throw new GemmaError("ERR_INVALID_JSON", `${where}: must be the record of a tuning run, got something else`, {
      cause: error,
    });
  }
}

/** Each thing that has changed, for people. */
export function recordDifferences(before: RunRecord, now: RunRecord): readonly string[] {
  const differences: string[] = [];
  if (before.model.sha256 !== now.model.sha256) differences.push(`another model: ${now.model.name} has other content`);
  for (const [part, what] of [
    ["train", "examples"],
    ["heldOut", "held-out examples"],
  ] as const) {
    if (before.data.sha256[part] === now.data.sha256[part]) continue;
    differences.push(`other ${what} from ${now.data[part]?.join(", ") ?? "the program"}`);
  }
  const names = new Set([...Object.keys(before.config), ...Object.keys(now.config)]) as Set<keyof TuneConfig>;
  for (const name of names) {
    const [old, value] = [before.config[name], now.config[name]].map((v) => JSON.stringify(v) ?? "none");
    if (old !== value) differences.push(`${name} ${value} in place of ${old}`);
  }
  return differences;
}

/** A hash of what is learned from examples. */
export function examplesHash(examples: readonly EncodedExample[]): string {
  const hash = createHash("sha256");
  for (const { sequences } of examples) {
    for (const { ids, isTarget } of sequences) {
      hash.update(Int32Array.of(sequences.length, ids.length)).update(ids).update(isTarget);
    }
  }
  return hash.digest("hex");
}
