import { GemmaError } from "../base/errors.js";
import { uniformAt } from "../base/rng.js";
import { encodePair } from "./encode-pair.js";
import type {
  Completion,
  CompletionOptions,
  Continuation,
  ContinuationScore,
  LanguageModel,
} from "./language-model.js";

const BOS = 256;
const SHARPNESS = 6; // spread of the logits

/**
 * A deterministic model for tests of what is built on LanguageModel. Tokens are the bytes of UTF-8; the logits of the
 * next byte depend on `seed` and the byte before it alone, so that every figure can be worked out by hand.
 */
export class FakeLanguageModel implements LanguageModel {
  readonly name: string;
  readonly contextLength: number;
  private readonly rows = new Map<number, Float64Array>();
  private readonly seed: number;

  constructor(options: { readonly seed?: number; readonly contextLength?: number } = {}) {
    this.seed = options.seed ?? 1;
    this.contextLength = options.contextLength ?? 4096;
    this.name = `fake-${this.seed}`;
  }

  async countTokens(text: string): Promise<number> {
    return encode(text).length;
  }

  async logprobs(
    batch: readonly Continuation[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<ContinuationScore[]> {
    return batch.map((pair) => {
      options.signal?.throwIfAborted();
      const { ids, contextTokens } = encodePair(pair, encode, BOS);
      this.expectRoom("logprobs", ids.length);
      const tokens = ids
        .slice(contextTokens)
        .map((id, i) => ({ id, logprob: this.row(ids[contextTokens + i - 1]!)[id]! }));
      const isGreedy = tokens.every(({ id }, i) => id === argmax(this.row(ids[contextTokens + i - 1]!)));
      return { sum: tokens.reduce((sum, { logprob }) => sum + logprob, 0), tokens, isGreedy };
    });
  }

  async generate(prompts: readonly string[], options: CompletionOptions): Promise<Completion[]> {
    return prompts.map((prompt) => {
      options.signal?.throwIfAborted();
      return this.complete([BOS, ...encode(prompt)], options);
    });
  }

  /** log p of each byte behind byte `previous`. */
  row(previous: number): Float64Array {
    const known = this.rows.get(previous);
    if (known) return known;
    const logits = Float64Array.from({ length: 256 }, (_, id) => SHARPNESS * uniformAt(this.seed, previous * 256 + id));
    const normaliser = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    const row = logits.map((logit) => logit - normaliser);
    this.rows.set(previous, row);
    return row;
  }

  private complete(prompt: readonly number[], options: CompletionOptions): Completion {
    const { maxTokens, stop = [], temperature = 0, seed = 0 } = options;
    this.expectRoom("generate", prompt.length + 1);
    const ids: number[] = [];
    const room = Math.min(maxTokens, this.contextLength - prompt.length);
    while (ids.length < room) {
      const row = this.row(ids.at(-1) ?? prompt.at(-1)!);
      ids.push(temperature === 0 ? argmax(row) : draw(row, temperature, uniformAt(seed, ids.length)));
      const text = decode(ids);
      const ends = stop.map((end) => text.indexOf(end)).filter((at) => at >= 0);
      if (ends.length > 0) return { text: text.slice(0, Math.min(...ends)), ids, finishReason: "stop" };
    }
    return { text: decode(ids), ids, finishReason: "length" };
  }

  private expectRoom(where: string, tokens: number): void {
    if (tokens <= this.contextLength) return;
    throw new GemmaError("ERR_CONTEXT_FULL", `${where}: must have at most ${this.contextLength} tokens, got ${tokens}`);
  }
}

function encode(text: string): number[] {
  return Array.from(new TextEncoder().encode(text));
}

function decode(ids: readonly number[]): string {
  return new TextDecoder().decode(Uint8Array.from(ids));
}

function argmax(row: Float64Array): number {
  return row.reduce((best, value, id) => (value > row[best]! ? id : best), 0);
}

function draw(row: Float64Array, temperature: number, uniform: number): number {
  const weights = row.map((logprob) => Math.exp(logprob / temperature));
  const goal = uniform * weights.reduce((a, b) => a + b, 0);
  let sum = 0;
  const id = weights.findIndex((weight) => {
    sum += weight;
    return sum > goal;
  });
  return id < 0 ? weights.length - 1 : id;
}
