import type { TuneEvent, TuneResult } from "../tune/run/events.js";
import type { CallEvent } from "./protocol.js";

/**
 * A tuning run under way: iterate it for its events, or await `result`. Leaving the loop early stops the run; where it has a
 * folder, what is done is then in its newest checkpoint.
 */
export class Tuning<Result = TuneResult> implements AsyncIterable<TuneEvent> {
  /** Rejects with what ended the run: an error, or the reason of the caller's signal. */
  readonly result: Promise<Result>;
  private readonly events: TuneEvent[] = [];
  private readonly controller = new AbortController();
  private waiting: Promise<void> | null = null;
  private wake = () => {};
  private hasEnded = false;

  /** @param start begins the work; `signal` is aborted by the caller's signal and by leaving the loop */
  constructor(
    start: (signal: AbortSignal, onEvent: (event: CallEvent) => void) => Promise<Result>,
    signal: AbortSignal | undefined,
  ) {
    this.result = this.collect(start, signal);
    this.result.catch(() => {}); // whoever iterates gets the error there
  }

  /** Every loop sees all events. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TuneEvent, void, void> {
    let next = 0;
    try {
      for (;;) {
        while (next < this.events.length) yield this.events[next++]!;
        if (this.hasEnded) break;
        await this.more();
      }
      await this.result; // rejects here if the run failed
    } finally {
      if (!this.hasEnded) {
        this.controller.abort(new DOMException("the loop over the run was left", "AbortError"));
        await this.result.catch(() => {}); // its checkpoint is written
      }
    }
  }

  private async collect(
    start: (signal: AbortSignal, onEvent: (event: CallEvent) => void) => Promise<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    const abort = () => this.controller.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await start(this.controller.signal, (event) => {
        if (event.kind !== "tune") return;
        this.events.push(event.event);
        this.wake();
      });
    } finally {
      signal?.removeEventListener("abort", abort);
      this.hasEnded = true;
      this.wake();
    }
  }

  /** Resolves at the next event, or at the end. */
  private more(): Promise<void> {
    this.waiting ??= new Promise((resolve) => {
      this.wake = () => {
        this.waiting = null;
        this.wake = () => {};
        resolve();
      };
    });
    return this.waiting;
  }
}
