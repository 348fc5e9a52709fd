import { GemmaError } from "../base/errors.js";
import type { TokenMask } from "../engine/generate-job.js";
import { TOKEN_TYPE } from "../format/token-table.js";
import type { Vocabulary } from "../tokenizer/vocabulary.js";
import {
  type FromGrammar,
  type GrammarStatus,
  type GrammarVocabulary,
  type GrammarWorkerData,
  STATUS,
  type ToGrammar,
} from "./grammar-protocol.js";

/** What one piece of work may take beyond what a simple grammar takes on this machine. */
const BUDGET_MS = 250;
/** A grammar may have a few rules as large as that of strings; compiling one alone fills most of a second when busy. */
const BUDGET_COMPILES = 4;
const WATCH_MS = 25;

/** A mask of one generation, kept up to date by the service. */
export interface GrammarMask extends TokenMask {
  /** Called once when the grammar cannot go on, e.g. because it takes too long. */
  onFail: (error: unknown) => void;
}

/** A worker that computes masks, and can be ended at any moment. */
export interface GrammarChannel {
  post(message: ToGrammar): void;
  end(): void;
}

export interface GrammarEvents {
  message(from: FromGrammar): void;
  failed(error: unknown): void;
}

export type StartGrammars = (data: GrammarWorkerData, events: GrammarEvents) => GrammarChannel;

/** In the caller's thread, without a budget; for tests and debuggers. */
export interface GrammarsHere {
  readonly here: StartGrammars;
}

/**
 * Masks of constrained generations, computed in one worker for a model. A grammar that exceeds its budget ends the
 * worker and fails; the others are replayed in a new one.
 */
export class GrammarService {
  private readonly sessions = new Map<number, Session>();
  /** null: there is no shared memory here, and the worker sends what it is at. */
  private readonly shared = sharesMemory() ? new Int32Array(new SharedArrayBuffer(4 * STATUS.length)) : null;
  private told: GrammarStatus = { serial: 0, request: 0 };
  private channel: GrammarChannel | null = null;
  private watch: ReturnType<typeof setInterval> | null = null;
  private compileMs = Number.POSITIVE_INFINITY; // no budget ends before the worker is ready
  private seen = { serial: -1, since: 0 };
  private nextId = 1;

  constructor(
    private readonly vocabulary: GrammarVocabulary,
    private readonly where: StartGrammars | GrammarsHere,
  ) {}

  /** Compiles a grammar and resolves with its first mask. @throws ERR_SCHEMA when it takes too long, or cannot be compiled */
  async open(grammar: string, signal: AbortSignal): Promise<GrammarMask> {
    const session = new Session(this.nextId++, grammar, this);
    this.sessions.set(session.id, session);
    this.post({ type: "open", id: session.id, grammar, accepted: [] });
    const abort = () => session.fail(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await session.whenReady();
    } finally {
      signal.removeEventListener("abort", abort);
    }
    if (session.error !== null) throw session.error;
    return session;
  }

  /** Ends the worker; its memory goes back. Idempotent. */
  dispose(): void {
    this.endWorker();
    for (const session of [...this.sessions.values()]) {
      session.fail(new GemmaError("ERR_DISPOSED", "the model was disposed"));
    }
  }

  /** @internal */
  accept(id: number, token: number): void {
    this.post({ type: "accept", id, token });
  }

  /** @internal */
  close(id: number): void {
    if (this.sessions.delete(id)) this.channel?.post({ type: "close", id });
  }

  private post(message: ToGrammar): void {
    const { where } = this;
    const isWorker = typeof where === "function";
    this.channel ??= this.start(isWorker ? where : where.here);
    this.channel.post(message);
    if (isWorker) this.watch ??= setInterval(() => this.checkBudget(), WATCH_MS);
  }

  private start(startWorker: StartGrammars): GrammarChannel {
    this.shared?.fill(0);
    this.told = { serial: 0, request: 0 };
    this.compileMs = Number.POSITIVE_INFINITY;
    let isCurrent = true; // messages of a worker that was ended are nobody's
    const channel = startWorker(
      { vocabulary: this.vocabulary, status: this.shared },
      {
        message: (from) => isCurrent && this.receive(from),
        failed: (error) => {
          if (!isCurrent) return;
          this.endWorker();
          this.failAll(error);
        },
      },
    );
    return {
      post: (message) => channel.post(message),
      end() {
        isCurrent = false;
        channel.end();
      },
    };
  }

  private receive(message: FromGrammar): void {
    if (message.type === "ready") this.compileMs = message.compileMs;
    else if (message.type === "status") this.told = message;
    else if (message.type === "mask") this.sessions.get(message.id)?.update(message.position, message.bits);
    else this.restart(message.id, new GemmaError("ERR_SCHEMA", `schema: must give a grammar, got: ${message.message}`));
  }

  /** The worker says what it is at: the same piece of work for too long ends it. */
  private checkBudget(): void {
    const { serial, request: id } = this.status();
    if (id === 0 && this.sessions.size === 0) this.stopWatch(); // an aborted request may still be under work
    const now = performance.now();
    if (serial !== this.seen.serial || id === 0) this.seen = { serial, since: now };
    const budget = BUDGET_MS + BUDGET_COMPILES * this.compileMs;
    if (now - this.seen.since <= budget) return;
    const what = `schema: must be prepared within ${Math.round(budget)} ms, took longer`;
    const hint = "simplify its patterns: classes of many characters, repeated a bounded number of times, cost most";
    this.restart(id, new GemmaError("ERR_SCHEMA", what, { hint }));
  }

  private status(): GrammarStatus {
    const { shared } = this;
    if (shared === null) return this.told;
    return { serial: Atomics.load(shared, STATUS.serial), request: Atomics.load(shared, STATUS.request) };
  }

  /** Fails one session and replays the others in a new worker: after a failure the library's memory is not to be trusted. */
  private restart(id: number, error: GemmaError): void {
    this.endWorker();
    this.sessions.get(id)?.fail(error);
    for (const session of this.sessions.values()) {
      this.post({ type: "open", id: session.id, grammar: session.grammar, accepted: session.accepted });
    }
  }

  private failAll(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    for (const session of [...this.sessions.values()]) {
      session.fail(new GemmaError("ERR_WORKER", `the grammar worker failed: ${reason}`));
    }
  }

  private endWorker(): void {
    this.stopWatch();
    this.channel?.end();
    this.channel = null;
  }

  private stopWatch(): void {
    if (this.watch) clearInterval(this.watch);
    this.watch = null;
  }
}

/** Pages share memory with workers only where they are cross-origin isolated. */
function sharesMemory(): boolean {
  return typeof SharedArrayBuffer === "function";
}

class Session implements GrammarMask {
  bits: Uint32Array | undefined;
  error: unknown = null;
  onFail: (error: unknown) => void = () => {};
  readonly accepted: number[] = [];
  private waiting: (() => void)[] = [];

  constructor(
    readonly id: number,
    readonly grammar: string,
    private readonly service: GrammarService,
  ) {}

  accept(token: number): void {
    if (this.error !== null) return;
    this.bits = undefined;
    this.accepted.push(token);
    this.service.accept(this.id, token);
  }

  update(position: number, bits: Uint32Array): void {
    if (position !== this.accepted.length) return;
    this.bits = bits;
    this.wake();
  }

  fail(error: unknown): void {
    if (this.error !== null) return;
    this.error = error;
    this.close();
    this.onFail(error);
    this.wake();
  }

  whenReady(): Promise<void> | null {
    if (this.bits !== undefined || this.error !== null) return null;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  close(): void {
    this.service.close(this.id);
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** What the grammar library must know of a model's vocabulary. Control tokens never stand for text. */
export function grammarVocabulary(
  { bytes, starts, types, control, size }: Vocabulary,
  stopIds: readonly number[],
  vocabSize: number,
): GrammarVocabulary {
  const silent = Uint8Array.from(control);
  for (let id = 0; id < size; id++) {
    if (types[id] === TOKEN_TYPE.unused || types[id] === TOKEN_TYPE.unknown) silent[id] = 1;
  }
  return { bytes, starts, silent, stopIds, vocabSize };
}
