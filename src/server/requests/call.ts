import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { Timings } from "../../runtime/protocol.js";
import type { Rates } from "../access/rate-limits.js";

/** Who sends a request. */
export interface Caller {
  /** The key's name, for logs; "anonymous" without keys. */
  readonly name: string;
  /** Whose share of the engine's time it takes: the key's id; "" without keys. */
  readonly tenant: string;
  /** Of the key, -100..100: higher goes first. */
  readonly priority: number;
  /** Callers with equal salts share what was computed of equal beginnings of prompts. */
  readonly salt: string;
}

/** What is known of a request's outcome. */
export interface Notes {
  model?: string;
  promptTokens?: number;
  generatedTokens?: number;
  finishReasons?: readonly string[];
  /** Of its first choice. */
  timings?: Timings;
  error?: unknown;
}

/** One HTTP request under way. */
export class Call {
  readonly id: string;
  readonly startedAt = performance.now();
  /** Set by the authentication. */
  caller: Caller = { name: "anonymous", tenant: "", priority: 0, salt: "" };
  /** What log, metrics and spans tell of its outcome. */
  readonly notes: Notes = {};
  /** What its tokens are counted against. */
  rates: Rates = {};
  /** As it is registered: `/v1/models/:model`. */
  route: string | null = null;
  /** Whether the response goes on after its headers. */
  isStreaming = false;
  private readonly controller = new AbortController();
  private onEnd: (() => void)[] = [];
  private ended = false;

  constructor(readonly request: Request) {
    const given = request.headers.get("x-request-id");
    this.id = given !== null && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID();
    setMaxListeners(0, this.signal); // each of its texts listens
    const { signal } = request;
    if (signal.aborted) this.leave();
    const leave = () => this.leave();
    signal.addEventListener("abort", leave, { once: true });
    // Node holds on to the signal of a request until the request is gone: what it leads to would stay for ever.
    this.whenEnded(() => signal.removeEventListener("abort", leave));
  }

  /** Aborted when the client has left, or the server gives the request up. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  /** The client is gone: what runs for it stops. */
  leave(): void {
    this.abort(new DOMException("the client has left", "AbortError"));
  }

  abort(reason: unknown): void {
    this.controller.abort(reason);
  }

  /** Calls back once the response is complete: its body sent, or given up. */
  whenEnded(callback: () => void): void {
    if (this.ended) callback();
    else this.onEnd.push(callback);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    for (const callback of this.onEnd.splice(0)) callback();
  }
}
