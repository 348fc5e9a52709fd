import type { FinishReason } from "../engine/generate-job.js";
import type { TokenLogProb } from "../engine/job.js";
import type { CallEvent, GenerateOutcome, Timings } from "./protocol.js";

export interface GenerateResult {
  readonly text: string;
  /** Generated ids, without the end-of-sequence token. */
  readonly ids: readonly number[];
  readonly finishReason: FinishReason;
  /** One a generated token, where asked for. */
  readonly logprobs?: readonly TokenLogProb[];
  readonly timings: Timings;
  /** Messages of the conversation left out because the context was too short, the oldest first. */
  readonly droppedMessages: number;
}

/** Lines for people that come with a generation, e.g. that old turns were left out. */
export type OnNote = (line: string) => void;

/**
 * A text under way: iterate it for pieces, or await `result` for the whole. Leaving the loop early cancels it.
 */
export class Generation implements AsyncIterable<string> {
  readonly result: Promise<GenerateResult>;
  private readonly queue: string[] = [];
  private wake: (() => void) | null = null;
  private ended = false;
  private readonly controller = new AbortController();

  /** @param start begins the work; `signal` is aborted by the caller's signal and by leaving the loop */
  constructor(
    start: (signal: AbortSignal, onEvent: (event: CallEvent) => void) => Promise<GenerateOutcome>,
    options: { readonly signal?: AbortSignal | undefined; readonly onNote?: OnNote | undefined },
  ) {
    const signal = options.signal ? AbortSignal.any([options.signal, this.controller.signal]) : this.controller.signal;
    this.result = this.collect(start, signal, options.onNote);
    this.result.catch(() => {}); // whoever iterates gets the error there
  }

  /** The whole text. */
  async text(): Promise<string> {
    return (await this.result).text;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<string> {
    try {
      for (;;) {
        while (this.queue.length > 0) yield this.queue.shift()!;
        if (this.ended) break;
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
      await this.result; // rejects here if the generation failed
    } finally {
      if (!this.ended) this.controller.abort(new DOMException("the loop over the generation was left", "AbortError"));
    }
  }

  private async collect(
    start: (signal: AbortSignal, onEvent: (event: CallEvent) => void) => Promise<GenerateOutcome>,
    signal: AbortSignal,
    onNote: OnNote | undefined,
  ): Promise<GenerateResult> {
    let text = "";
    const ids: number[] = [];
    const logprobs: TokenLogProb[] = [];
    try {
      const outcome = await start(signal, (event) => {
        if (event.kind === "note") onNote?.(event.text);
        if (event.kind !== "pieces") return;
        for (const piece of event.pieces) {
          if (piece.id !== null) ids.push(piece.id);
          if (piece.logprob) logprobs.push(piece.logprob);
          if (piece.text === "") continue;
          text += piece.text;
          this.queue.push(piece.text);
          this.wake?.();
        }
      });
      return { text, ids, ...(logprobs.length > 0 ? { logprobs } : {}), ...outcome };
    } finally {
      this.ended = true;
      this.wake?.();
    }
  }
}
