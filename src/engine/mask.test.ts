import { afterAll, beforeAll, expect, test } from "vitest";
import { checked } from "../backend/checked.js";
import { referenceBackend } from "../backends/reference/index.js";
import { openCheckpoint } from "../load/open.js";
import { loadWeights } from "../model/weights.js";
import { Engine } from "./engine.js";
import type { TokenMask } from "./generate-job.js";

let engine: Engine;
beforeAll(async () => {
  const checkpoint = openCheckpoint(new URL("../../test/fixtures/tiny/gemma3", import.meta.url).pathname);
  const backend = checked(await referenceBackend.create({ activations: "f32" }));
  const { config, naming, tensors, path } = checkpoint;
  const weights = await loadWeights(backend, config, tensors, { naming });
  checkpoint.close();
  const parts = { backend, config, weights, tokenizer: null, name: path };
  engine = new Engine(parts, { contextLength: 128, kv: "f32", maxRows: 64, maxSequences: 4 });
});
afterAll(() => engine.dispose());

/** Allows multiples of 1 + the number of tokens so far, and is ready `delayMs` after each token. */
class SlowMask implements TokenMask {
  isClosed = false;
  private length = 0;
  bits: Uint32Array | undefined = this.compute();
  private waiting: Promise<void> | null = null;

  constructor(private readonly delayMs: number) {}

  accept(_id: number): void {
    this.length++;
    this.bits = undefined;
    this.waiting = new Promise((resolve) => {
      setTimeout(() => {
        this.bits = this.compute();
        this.waiting = null;
        resolve();
      }, this.delayMs);
    });
  }

  whenReady(): Promise<void> | null {
    return this.waiting;
  }

  close(): void {
    this.isClosed = true;
  }

  private compute(): Uint32Array {
    const bits = new Uint32Array(Math.ceil(engine.parts.config.vocabSize / 32));
    const step = 1 + this.length;
    for (let id = 0; id < bits.length * 32; id += step) bits[id >> 5]! |= 1 << (id & 31);
    return bits;
  }
}

function generate(prompt: readonly number[], mask: TokenMask | null): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const ids: number[] = [];
    engine.generate(prompt, { maxTokens: 20, temperature: 0.8, seed: 5, ignoreEos: true }, mask, {
      piece: ({ id }) => {
        if (id !== null) ids.push(id);
      },
      done: () => resolve(ids),
      fail: reject,
    });
  });
}

test("a mask is obeyed, and the ids are the same whether it comes in time or late, alone or beside others", async () => {
  const prompt = [2, 7, 9];
  const inTime = new SlowMask(0);
  const wanted = await generate(prompt, inTime);
  expect(wanted.map((id, i) => id % (i + 1))).toEqual(new Array(20).fill(0));
  expect(inTime.isClosed).toBe(true);
  expect(await generate(prompt, new SlowMask(12))).toEqual(wanted);
  const free = await generate([2, 30], null);
  const together = await Promise.all([generate(prompt, new SlowMask(12)), generate([2, 30], null)]);
  expect(together).toEqual([wanted, free]);
});
