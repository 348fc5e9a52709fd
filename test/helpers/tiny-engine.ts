import { afterAll, expect } from "vitest";
import type { Backend } from "../../src/backend/backend.js";
import { checked } from "../../src/backend/checked.js";
import { referenceBackend } from "../../src/backends/reference/index.js";
import { Engine, type EngineOptions, type ScoreRequest } from "../../src/engine/engine.js";
import type { FinishReason, TokenMask } from "../../src/engine/generate-job.js";
import type { TokenLogProb } from "../../src/engine/job.js";
import type { GenerateOptions } from "../../src/engine/options.js";
import { openCheckpoint } from "../../src/load/open.js";
import { loadWeights } from "../../src/model/weights.js";

const engines: Engine[] = [];
afterAll(() => {
  for (const engine of engines) engine.dispose();
});

type TinyModel = "gemma1-mqa" | "gemma2" | "gemma3";

/**
 * An engine of a random model without a tokenizer, on the checked reference backend; disposed after the file's tests.
 * @param draft its draft model
 */
export async function tinyEngine(options: Partial<EngineOptions> = {}, draft?: TinyModel): Promise<Engine> {
  const backend = checked(await referenceBackend.create({ activations: "f32" }));
  const model = await load(backend, "gemma3");
  const small = draft && { ...(await load(backend, draft)), size: 0.1 };
  const all = { contextLength: 256, kv: "f32", maxRows: 64, maxSequences: 4, ...options } as const;
  const engine = new Engine({ backend, ...model, tokenizer: null, name: "tiny", draft: small }, all);
  engines.push(engine);
  return engine;
}

async function load(backend: Backend, name: TinyModel) {
  const checkpoint = openCheckpoint(new URL(`../fixtures/tiny/${name}`, import.meta.url).pathname);
  const { config, naming, tensors, tokenizer } = checkpoint;
  const weights = await loadWeights(backend, config, tensors, { naming });
  expect(tokenizer).toBe(null); // ids in, ids out
  checkpoint.close();
  return { config, weights };
}

export interface Generated {
  readonly ids: number[];
  readonly logprobs: TokenLogProb[];
  readonly reason: FinishReason;
}

export function generate(
  engine: Engine,
  prompt: readonly number[],
  options: GenerateOptions,
  mask: TokenMask | null = null,
): Promise<Generated> {
  return new Promise((resolve, reject) => {
    const ids: number[] = [];
    const logprobs: TokenLogProb[] = [];
    engine.generate(prompt, { ignoreEos: true, ...options }, mask, {
      piece: ({ id, logprob }) => {
        if (id !== null) ids.push(id);
        if (logprob) logprobs.push(logprob);
      },
      done: (reason) => resolve({ ids, logprobs, reason }),
      fail: reject,
    });
  });
}

/** Log-probabilities of ids[first + 1 …] */
export function score(engine: Engine, ids: readonly number[], request: ScoreRequest): Promise<readonly TokenLogProb[]> {
  return new Promise((resolve, reject) => {
    engine.score(ids, request, { done: ({ logprobs }) => resolve(logprobs), fail: reject });
  });
}
