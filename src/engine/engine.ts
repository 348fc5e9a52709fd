import type { Backend } from "../backend/backend.js";
import { GemmaError } from "../base/errors.js";
import { macrotask } from "../base/macrotask.js";
import type { Adapter } from "../model/adapter.js";
import { freeAdapter } from "../model/adapter-peft.js";
import type { GemmaConfig } from "../model/config.js";
import type { GemmaWeights } from "../model/gemma.js";
import { kvLayout } from "../model/kv-layout.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { AdapterStore, type LoadedAdapter } from "./adapters.js";
import { type CacheOptions, cacheShape } from "./cache-shape.js";
import { DRAFT_ROWS, DraftModel } from "./draft-model.js";
import { EmbedJob } from "./embed-job.js";
import { GenerateJob, type GenerationSink, NO_COUNTS, type TokenMask } from "./generate-job.js";
import type { Job, JobTerms } from "./job.js";
import { JobPages } from "./job-pages.js";
import { type GenerateOptions, integer, type RequestOptions, resolveOptions, resolveRequest } from "./options.js";
import { Scheduler } from "./scheduler.js";
import { ScoreJob, type ScoreResult } from "./score-job.js";
import type { EngineStats } from "./stats.js";
import { StepRunner } from "./step.js";

export type EngineOptions = CacheOptions;

export interface EngineParts {
  readonly backend: Backend;
  readonly config: GemmaConfig;
  readonly weights: GemmaWeights;
  /** null: the checkpoint comes without one; only token ids go in and out. */
  readonly tokenizer: Tokenizer | null;
  /** For messages. */
  readonly name: string;
  /** A small model with the same vocabulary that guesses tokens. */
  readonly draft?: DraftParts | undefined;
}

export interface DraftParts {
  readonly config: GemmaConfig;
  readonly weights: GemmaWeights;
  /** Size of its weights, in those of the model. */
  readonly size: number;
}

/** What every request may say. */
export interface EngineRequest extends RequestOptions {
  readonly adapter?: string;
}

export interface ScoreRequest extends EngineRequest {
  readonly first?: number;
  readonly after?: readonly number[];
  readonly top?: number;
  readonly onLogits?: (position: number, logits: Float32Array) => void;
}

/** Where a request comes from, if it did not begin just now. */
export interface RequestOrigin {
  /** When it was made, on performance.now()'s clock. */
  readonly since?: number;
  /** What it holds, in place of the adapter that it names. */
  readonly adapter?: LoadedAdapter | null;
}

export interface HeldAdapter {
  readonly loaded: LoadedAdapter | null;
  /** To be called once. */
  release(): void;
}

/** A handle on work under way. */
export interface Running {
  cancel(reason: unknown): void;
  /** A flag in shared memory: once its first element is not 0 the job is cancelled, also within a step. */
  watch(flag: Int32Array | null): void;
}

/** A model with a cache of its own, and the pages of it. */
function stepRunner(
  backend: Backend,
  { config, weights }: Pick<EngineParts, "config" | "weights">,
  options: EngineOptions,
): { readonly runner: StepRunner; readonly pages: JobPages } {
  const shape = cacheShape(config, options);
  const cache = backend.kvCache(kvLayout(config, options.kv, shape.groupPages));
  return { runner: new StepRunner(backend, config, weights, cache, options), pages: new JobPages(shape) };
}

/** Runs jobs on one loaded model, as long as there are any, giving way to the event loop after each step. */
export class Engine {
  private readonly scheduler: Scheduler;
  private readonly adapters: AdapterStore;
  private looping = false;
  private disposed = false;

  constructor(
    readonly parts: EngineParts,
    readonly options: EngineOptions,
  ) {
    const { backend, draft } = parts;
    const { runner, pages } = stepRunner(backend, parts, options);
    let draftModel: DraftModel | null = null;
    if (draft) {
      const own = stepRunner(backend, draft, { ...options, maxRows: DRAFT_ROWS });
      draftModel = new DraftModel(own.runner, own.pages, draft.size);
    }
    const onEnd = (job: Job) => this.adapters.release(job.terms.adapter);
    this.scheduler = new Scheduler(runner, pages, draftModel, onEnd);
    this.adapters = new AdapterStore(({ id, adapter }) => {
      if (this.disposed) return; // with the backend all of it has gone
      this.scheduler.forget(id);
      freeAdapter(backend, adapter);
    });
  }

  /** @throws ERR_MISSING_FILE when the checkpoint came without a tokenizer */
  get tokenizer(): Tokenizer {
    const { tokenizer, name } = this.parts;
    if (tokenizer) return tokenizer;
    throw new GemmaError("ERR_MISSING_FILE", `${name}: text needs a tokenizer.model or a tokenizer.json, got neither`, {
      hint: "put one beside the weights, or give token ids",
    });
  }

  /** Continues `prompt` (ids, used as they are). */
  generate(
    prompt: readonly number[],
    options: GenerateOptions,
    mask: TokenMask | null,
    sink: GenerationSink,
    origin: RequestOrigin = {},
  ): Running {
    const { config, tokenizer } = this.parts;
    const resolved = resolveOptions(options, config.vocabSize);
    this.checkIds("prompt", prompt, this.options.contextLength - 1);
    const job = new GenerateJob(
      {
        prompt,
        options: resolved,
        terms: this.terms(options, origin),
        eosIds: new Set([...config.eosTokenIds, ...(tokenizer?.eosIds ?? [])]),
        contextLength: this.options.contextLength,
        decoder: tokenizer?.streamDecoder() ?? null,
        mask,
      },
      sink,
    );
    if (resolved.maxTokens === 0) {
      mask?.close();
      sink.done("length", NO_COUNTS);
      return { cancel() {}, watch() {} };
    }
    return this.start(job);
  }

  /** Log-probabilities of ids[first + 1 …] and of ids that may follow the last (`after`), with `top` alternatives each. */
  score(
    ids: readonly number[],
    request: ScoreRequest,
    sink: { done(result: ScoreResult): void; fail(error: unknown): void },
    origin: RequestOrigin = {},
  ): Running {
    this.checkIds("score", ids, this.options.contextLength);
    const after = request.after ?? [];
    this.checkRange("score: after", after);
    const setup = {
      ids,
      first: integer("score: first", request.first ?? 0, 0, ids.length - 1),
      after,
      terms: this.terms(request, origin),
      top: integer("score: top", request.top ?? 0, 0, this.parts.config.vocabSize),
      onLogits: request.onLogits ?? null,
    };
    return this.start(new ScoreJob(setup, sink));
  }

  /** Mean-pooled final hidden states [D], scaled to length 1. */
  embed(
    ids: readonly number[],
    request: EngineRequest,
    sink: { done(embedding: Float32Array): void; fail(error: unknown): void },
    origin: RequestOrigin = {},
  ): Running {
    this.checkIds("embed", ids, this.options.contextLength);
    return this.start(new EmbedJob(ids, this.parts.config.hiddenSize, this.terms(request, origin), sink));
  }

  stats(): EngineStats {
    return this.scheduler.stats();
  }

  /** Makes an adapter available to requests by its name, in place of one that has it. */
  addAdapter(adapter: Adapter): void {
    this.adapters.add(adapter);
  }

  /** Requests that choose no adapter have this one from now on. */
  setOwnAdapter(adapter: Adapter): void {
    this.adapters.setOwn(adapter);
  }

  /** Requests under way finish with the adapter; new ones cannot choose it. @throws ERR_UNKNOWN_MODEL */
  removeAdapter(name: string): void {
    this.adapters.remove(name);
  }

  /** Keeps an adapter for a request that begins later. */
  holdAdapter(name: string | undefined): HeldAdapter {
    const loaded = this.adapters.get(name);
    this.adapters.hold(loaded);
    return { loaded, release: () => this.adapters.release(loaded) };
  }

  /** Fails all work and frees the model. Idempotent. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.scheduler.failAll(new GemmaError("ERR_DISPOSED", "the model was disposed"));
    this.parts.backend.dispose();
  }

  private terms(request: EngineRequest, { since, adapter }: RequestOrigin): JobTerms {
    const loaded = adapter === undefined ? this.adapters.get(request.adapter) : adapter;
    return { ...resolveRequest(request, since), adapter: loaded };
  }

  private checkIds(what: string, ids: readonly number[], most: number): void {
    if (this.disposed) throw new GemmaError("ERR_DISPOSED", `${what}: the model was disposed`);
    if (ids.length === 0) throw new GemmaError("ERR_RANGE", `${what}: must have at least one token`);
    if (ids.length > most) {
      const context = `${ids.length} tokens, the context has room for ${most}`;
      throw new GemmaError("ERR_CONTEXT_FULL", `${what}: must fit the context, got ${context}`, {
        hint: `shorten it, or load with a larger context (--ctx, up to ${this.parts.config.maxPositionEmbeddings})`,
      });
    }
    this.checkRange(what, ids);
  }

  private checkRange(what: string, ids: readonly number[]): void {
    const { vocabSize } = this.parts.config;
    for (const id of ids) {
      if (Number.isInteger(id) && id >= 0 && id < vocabSize) continue;
      throw new GemmaError("ERR_RANGE", `${what}: token ids must be integers in 0..${vocabSize - 1}, got ${id}`);
    }
  }

  private start(job: Job): Running {
    this.adapters.hold(job.terms.adapter);
    this.scheduler.add(job);
    void this.loop();
    return {
      cancel(reason) {
        job.cancel(reason);
      },
      watch(flag) {
        job.flag = flag;
      },
    };
  }

  private async loop(): Promise<void> {
    if (this.looping) return;
    this.looping = true;
    try {
      await macrotask(); // requests that came together start together
      while (!this.scheduler.idle && !this.disposed) {
        await this.scheduler.step();
        await macrotask();
      }
    } catch (error) {
      this.scheduler.failAll(error);
    } finally {
      this.looping = false;
    }
  }
}
