import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Backend } from "../../backend/backend.js";
import { fromSystemError, GemmaError } from "../../base/errors.js";
import { isUnfinished, removeFolder, replaceFolder, writeSlices } from "../../disk/durable.js";
import type { ByteSource } from "../../format/byte-source.js";
import { parseSafetensors } from "../../format/safetensors.js";
import { safetensorsFile } from "../../format/safetensors-write.js";
import type { Optimizer } from "../optimizer.js";
import type { Parameter } from "../parameters.js";
import { readTensor, tensorData } from "./tensor-file.js";

// checkpoints/step-000123/: state.safetensors has each parameter and its two moments; checkpoint.json tells which step it
// is behind, and the checksum of the former. Nothing else is needed to go on: what a step does follows from its number.

const STATE = "state.safetensors";
const HEAD = "checkpoint.json";
const HEAD_SCHEMA = z.strictObject({
  version: z.literal(1),
  step: z.int().min(0),
  sizeBytes: z.int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
const HASH_STEP = 1 << 22;

/** What a checkpoint holds. */
export interface TrainState {
  readonly be: Backend;
  readonly parameters: readonly Parameter[];
  readonly optimizer: Optimizer;
}

export interface Checkpoint {
  readonly step: number;
  readonly path: string;
}

/** The checkpoints of a run, of which the newest ones are kept. */
export class Checkpoints {
  /** @param openFile opens a file for reading by offset */
  constructor(
    private readonly folder: string,
    private readonly openFile: (path: string) => ByteSource,
  ) {}

  /** All of them, the newest first. What a killed process left half made is removed. */
  list(): readonly Checkpoint[] {
    return this.names()
      .flatMap((name) => {
        const [, step] = /^step-(\d{6,15})$/.exec(name) ?? [];
        return step === undefined ? [] : [{ step: Number(step), path: join(this.folder, name) }];
      })
      .sort((a, b) => b.step - a.step);
  }

  /**
   * Writes the state behind a step. Then the newest `keep` of those up to it are kept: one that claims to be ahead was
   * passed over as damaged.
   * @throws ERR_DISK_FULL, ERR_IO: the older ones are as they were
   */
  async write(state: TrainState, step: number, keep: number): Promise<Checkpoint> {
    const path = join(this.folder, `step-${String(step).padStart(6, "0")}`);
    await replaceFolder(path, async (part) => {
      const hash = createHash("sha256");
      let sizeBytes = 0;
      await writeSlices(join(part, STATE), safetensorsFile(tensorsOf(state)), (slice) => {
        hash.update(slice);
        sizeBytes += slice.length;
      });
      const head = { version: 1, step, sizeBytes, sha256: hash.digest("hex") };
      await writeSlices(join(part, HEAD), [Buffer.from(`${JSON.stringify(head)}\n`)]);
    });
    const all = this.list();
    const kept = new Set(all.filter((one) => one.step <= step).slice(0, keep));
    for (const one of all) if (!kept.has(one)) removeFolder(one.path);
    return { step, path };
  }

  /**
   * Puts the newest whole checkpoint's state on the backend.
   * @param damaged is told what is wrong with newer ones
   * @returns null where there is none
   */
  async restore(state: TrainState, damaged: (why: string) => void): Promise<Checkpoint | null> {
    for (const checkpoint of this.list()) {
      let source: ByteSource;
      try {
        source = await this.openChecked(checkpoint);
      } catch (error) {
        if (!(error instanceof GemmaError)) throw error;
        damaged(error.message);
        continue;
      }
      try {
        restoreFrom(source, state);
      } finally {
        source.close();
      }
      state.optimizer.stepCount = checkpoint.step;
      return checkpoint;
    }
    return null;
  }

  private names(): readonly string[] {
    try {
      const names = readdirSync(this.folder);
      for (const name of names.filter(isUnfinished)) rmSync(join(this.folder, name), { recursive: true, force: true });
      return names;
    } catch (error) {
      throw fromSystemError(error, this.folder);
    }
  }

  private async openChecked({ path, step }: Checkpoint): Promise<ByteSource> {
    const head = readHead(join(path, HEAD));
    const source = this.openFile(join(path, STATE));
    try {
      if (head.step !== step || source.sizeBytes !== head.sizeBytes || hashOf(source) !== head.sha256) {
        throw new GemmaError("ERR_CHECKSUM", `${path}: must be as it was written, got other content`);
      }
    } catch (error) {
      source.close();
      throw error;
    }
    return source;
  }
}

function tensorsOf({ be, parameters, optimizer }: TrainState) {
  return parameters.flatMap(({ name, value }, i) => {
    const { m, v } = optimizer.states[i]!;
    return [tensorData(be, name, value), tensorData(be, `${name}.m`, m), tensorData(be, `${name}.v`, v)];
  });
}

function restoreFrom(source: ByteSource, { be, parameters, optimizer }: TrainState): void {
  const { tensors } = parseSafetensors(source);
  for (const [i, { name, value, weight }] of parameters.entries()) {
    const { m, v } = optimizer.states[i]!;
    readTensor(be, value, name, tensors, source.name);
    readTensor(be, m, `${name}.m`, tensors, source.name);
    readTensor(be, v, `${name}.v`, tensors, source.name);
    if (weight !== null) be.packWeight(weight, value);
  }
}

function readHead(path: string): z.infer<typeof HEAD_SCHEMA> {
  try {
    return HEAD_SCHEMA.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) {
      throw new GemmaError("ERR_INVALID_JSON", `${path}: must be the head of a checkpoint, got something else`, {
        cause: error,
      });
    }
    throw fromSystemError(error, path);
  }
}

function hashOf(source: ByteSource): string {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(Math.min(HASH_STEP, source.sizeBytes));
  for (let at = 0; at < source.sizeBytes; at += HASH_STEP) {
    hash.update(source.read(at, Math.min(HASH_STEP, source.sizeBytes - at), buffer));
  }
  return hash.digest("hex");
}
