import { GemmaError } from "../base/errors.js";
import type { TokenLogProb } from "../engine/job.js";
import { encodePair, pairTexts } from "../lm/encode-pair.js";
import type {
  Completion,
  CompletionOptions,
  Continuation,
  ContinuationScore,
  LanguageModel,
} from "../lm/language-model.js";
import type { Gemma } from "./gemma.js";

/** A continuation as tokens. */
interface Encoded {
  /** Context and continuation. */
  readonly ids: readonly number[];
  readonly contextTokens: number;
}

/**
 * A loaded model as a LanguageModel. The engine computes requests together as they come; those that share a prefix
 * compute it once, and continuations that differ in their last token alone are one request.
 */
export class GemmaLanguageModel implements LanguageModel {
  readonly name: string;
  readonly contextLength: number;

  /** @param options.adapter name of an adapter loaded with the model */
  constructor(
    private readonly gemma: Gemma,
    private readonly options: { readonly adapter?: string } = {},
  ) {
    this.name = gemma.info.name;
    this.contextLength = gemma.info.contextLength;
  }

  async countTokens(text: string): Promise<number> {
    return (await this.gemma.encode(text)).length;
  }

  async logprobs(
    batch: readonly Continuation[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ContinuationScore[]> {
    const pairs = await this.encodeAll(batch);
    const longest = Math.max(0, ...pairs.map(({ ids }) => ids.length));
    if (longest > this.contextLength) throw this.contextFull("logprobs", longest);
    const scores = new Map<Encoded, ContinuationScore>();
    const work: Promise<readonly TokenLogProb[]>[] = [];
    let before: Encoded | undefined;
    for (const group of groupsOf(pairs)) {
      const pair = group[0]!;
      // Choices often begin alike: what the last group has of such a beginning is taken from it.
      const alike = before?.contextTokens === pair.contextTokens ? commonLength(before.ids, pair.ids) : 0;
      const from = Math.min(alike, pair.ids.length - 1) - pair.contextTokens;
      const known = from > 0 ? work.at(-1)!.then((tokens) => tokens.slice(0, from)) : Promise.resolve([]);
      work.push(known.then((tokens) => this.score(group, tokens, scores, signal)));
      before = pair;
    }
    await Promise.all(work);
    return pairs.map((pair) => scores.get(pair)!);
  }

  async generate(prompts: readonly string[], options: CompletionOptions): Promise<Completion[]> {
    return Promise.all(prompts.map((prompt) => this.complete(prompt, options)));
  }

  /** Contexts come once for each of their continuations: every text is encoded once. */
  private async encodeAll(batch: readonly Continuation[]): Promise<Encoded[]> {
    const texts = new Set(batch.map(pairTexts).flatMap(({ context, whole }) => [context, whole]));
    const encoded = new Map<string, readonly number[]>();
    await Promise.all(Array.from(texts, async (text) => encoded.set(text, await this.gemma.encode(text))));
    const { bosTokenId } = this.gemma.info.config;
    return batch.map((pair) => encodePair(pair, (text) => encoded.get(text)!, bosTokenId));
  }

  /**
   * Scores pairs whose tokens are the same but for the last, which is not computed: it is looked up behind the others.
   *
   * @param known log-probabilities of the first tokens of the continuation
   * @returns those of the first pair's continuation
   */
  private async score(
    group: readonly Encoded[],
    known: readonly TokenLogProb[],
    scores: Map<Encoded, ContinuationScore>,
    signal: AbortSignal | undefined,
  ): Promise<readonly TokenLogProb[]> {
    const { ids, contextTokens } = group[0]!;
    if (contextTokens >= ids.length) {
      for (const pair of group) scores.set(pair, toScore([])); // nothing follows
      return [];
    }
    const common = ids.slice(0, -1);
    const first = contextTokens + known.length - 1;
    const after = group.map((pair) => pair.ids.at(-1)!);
    const given = { ...this.options, ...(signal ? { signal } : {}) };
    const { logprobs, after: last } = await this.gemma.score({ ids: common }, { first, after, top: 1, ...given });
    const before = [...known, ...(logprobs.slice(first + 1) as TokenLogProb[])]; // null for those up to `first`
    for (const [i, pair] of group.entries()) scores.set(pair, toScore([...before, last[i]!]));
    return [...before, last[0]!];
  }

  private async complete(prompt: string, options: CompletionOptions): Promise<Completion> {
    const { maxTokens, stop = [], temperature = 0, seed = 0, signal } = options;
    const ids = [this.gemma.info.config.bosTokenId, ...(await this.gemma.encode(prompt))];
    if (ids.length >= this.contextLength) throw this.contextFull("generate", ids.length + 1);
    const generation = this.gemma.generate(
      { ids },
      // The distribution as the model has it: nothing is cut off that a published number may have drawn.
      { maxTokens, stop, temperature, seed, topK: 0, topP: 1, ...this.options, ...(signal ? { signal } : {}) },
    );
    const result = await generation.result;
    const finishReason = result.finishReason === "length" ? "length" : "stop"; // nothing here calls tools
    return { text: result.text, ids: result.ids, finishReason };
  }

  private contextFull(where: string, tokens: number): GemmaError {
    const most = this.contextLength;
    return new GemmaError("ERR_CONTEXT_FULL", `${where}: must have at most ${most} tokens, got ${tokens}`, {
      hint: `shorten it, or load with a larger context (--ctx, up to ${this.gemma.info.config.maxPositionEmbeddings})`,
    });
  }
}

function toScore(tokens: readonly TokenLogProb[]): ContinuationScore {
  return {
    sum: tokens.reduce((sum, { logprob }) => sum + logprob, 0),
    tokens: tokens.map(({ id, logprob }) => ({ id, logprob })),
    isGreedy: tokens.every(({ id, top }) => top[0]?.id === id),
  };
}

/** Pairs in the order of their tokens, those that differ in the last one alone together. */
function groupsOf(pairs: readonly Encoded[]): readonly (readonly Encoded[])[] {
  const groups: Encoded[][] = [];
  for (const pair of [...pairs].sort((a, b) => a.contextTokens - b.contextTokens || compareIds(a.ids, b.ids))) {
    const other = groups.at(-1)?.[0];
    const { ids, contextTokens } = pair;
    const isSame =
      other?.contextTokens === contextTokens &&
      other.ids.length === ids.length &&
      commonLength(other.ids, ids) >= ids.length - 1;
    if (isSame) groups.at(-1)!.push(pair);
    else groups.push([pair]);
  }
  return groups;
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function compareIds(a: readonly number[], b: readonly number[]): number {
  const at = commonLength(a, b);
  return (a[at] ?? -1) - (b[at] ?? -1);
}
