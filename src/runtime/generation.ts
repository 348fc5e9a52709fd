import type { ToolCall } from "../engine/chat.js";
import type { Piece } from "../engine/generate-job.js";
import type { TokenLogProb } from "../engine/job.js";
import type { CallEvent, FinishReason, GenerateOutcome, Timings } from "./protocol.js";

export interface GenerateResult {
  /** Without the text of tool calls. */
  readonly text: string;
  /** Generated ids, without the end-of-sequence token. */
  readonly ids: readonly number[];
  readonly finishReason: FinishReason;
  /** What the answer calls, with finishReason "tool-calls". */
  readonly toolCalls?: readonly ToolCall[];
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
  /** So far, also of a generation that fails: tokens of the prompt, once the engine has it, and generated ones. */
  readonly counts = { promptTokens: 0, generatedTokens: 0 };
  private readonly pieces: Piece[] = [];
  private changed = deferred();
  private ended = false;
  private readonly controller = new AbortController();

  /** @param start begins the work; `signal` is aborted by the caller's signal and by leaving the loop */
  constructor(
    start: (signal: AbortSignal, onEvent: (event: CallEvent) => void) => Promise<GenerateOutcome>,
    options: { readonly signal?: AbortSignal | undefined; readonly onNote?: OnNote | undefined },
  ) {
    this.result = this.collect(start, options);
    this.result.catch(() => {}); // whoever iterates gets the error there
  }

  /** The whole text. */
  async text(): Promise<string> {
    return (await this.result).text;
  }

  /** Every loop sees all pieces. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    for await (const { text } of this.tokens()) if (text !== "") yield text;
  }

  /** The same, token by token: ids, log-probabilities where asked for, and the text that each adds, which may be none. */
  async *tokens(): AsyncGenerator<Piece, void, void> {
    let next = 0;
    try {
      for (;;) {
        while (next < this.pieces.length) yield this.pieces[next++]!;
        if (this.ended) break;
        await this.changed.promise;
      }
      await this.result; // rejects here if the generation failed
    } finally {
      if (!this.ended) this.controller.abort(new DOMException("the loop over the generation was left", "AbortError"));
    }
  }

  private async collect(
    start: (signal: AbortSignal, onEvent: (event: CallEvent) => void) => Promise<GenerateOutcome>,
    { signal, onNote }: { readonly signal?: AbortSignal | undefined; readonly onNote?: OnNote | undefined },
  ): Promise<GenerateResult> {
    const ids: number[] = [];
    const logprobs: TokenLogProb[] = [];
    // Not AbortSignal.any: on Node 20 a long-lived signal would remember every generation.
    const abort = () => this.controller.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const outcome = await start(this.controller.signal, (event) => {
        if (event.kind === "note") onNote?.(event.text);
        if (event.kind === "prompt") this.counts.promptTokens = event.tokens;
        if (event.kind !== "pieces") return;
        for (const piece of event.pieces) {
          if (piece.id !== null) ids.push(piece.id);
          if (piece.logprob) logprobs.push(piece.logprob);
          this.pieces.push(piece);
        }
        this.counts.generatedTokens = ids.length;
        this.wake();
      });
      const text = this.pieces.map((piece) => piece.text).join("");
      return { text, ids, ...(logprobs.length > 0 ? { logprobs } : {}), ...outcome };
    } finally {
      signal?.removeEventListener("abort", abort);
      this.ended = true;
      this.wake();
    }
  }

  private wake(): void {
    this.changed.resolve();
    this.changed = deferred();
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
