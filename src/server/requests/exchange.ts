import type { Piece } from "../../engine/generate-job.js";
import type { GenerateResult, Generation } from "../../runtime/generation.js";
import type { Serving } from "../serving.js";
import type { Call } from "./call.js";
import { merge } from "./merge.js";
import { type Place, takePlace } from "./place.js";

/** What happens in a request's generations, choice by choice as it comes. */
export type ExchangeEvent =
  | { readonly kind: "piece"; readonly index: number; readonly piece: Piece }
  | { readonly kind: "end"; readonly index: number; readonly result: GenerateResult };

/** What a request says of its generations. */
export interface ExchangeInput {
  readonly model?: string | null | undefined;
  readonly priority?: number | null | undefined;
  /** Generations of one prompt, which stand side by side. Default: 1. */
  readonly n?: number | null | undefined;
}

/** The generations of one request: one a prompt and choice. */
export class Exchange {
  private constructor(
    private readonly serving: Serving,
    private readonly call: Call,
    private readonly choices: number,
    readonly place: Place,
    readonly generations: readonly Generation[],
  ) {}

  /** Waits for a place, then starts the generations. @throws what takePlace and `start` throw */
  static async begin(
    serving: Serving,
    call: Call,
    input: ExchangeInput,
    start: (place: Place) => readonly Generation[] | Promise<readonly Generation[]>,
  ): Promise<Exchange> {
    const place = await takePlace(serving, call, input.model, input.priority);
    call.notes.model = place.model.id;
    try {
      const exchange = new Exchange(serving, call, input.n ?? 1, place, await start(place));
      exchange.observe();
      return exchange;
    } catch (error) {
      call.abort(error); // some of it may be at work
      place.leave();
      throw error;
    }
  }

  /** All texts. When one fails, the others are given up. */
  async results(): Promise<readonly GenerateResult[]> {
    try {
      return await Promise.all(this.generations.map(({ result }) => result));
    } catch (error) {
      this.call.abort(error);
      throw error;
    }
  }

  /** Waits for the first piece: until then an error still has a status of its own. */
  async firstPiece(): Promise<void> {
    try {
      await Promise.race(this.generations.map((generation) => generation.tokens().next()));
    } catch (error) {
      this.call.abort(error);
      throw error;
    }
  }

  /** Pieces of all choices as they come, and each one's end. Leaving the loop gives the rest up. */
  async *events(): AsyncGenerator<ExchangeEvent, void, void> {
    let isDone = false;
    try {
      yield* merge(this.generations.map(eventsOf));
      isDone = true;
    } catch (error) {
      this.call.abort(error);
      throw error;
    } finally {
      if (!isDone) this.call.leave();
    }
  }

  private observe(): void {
    const { metrics } = this.serving;
    for (const generation of this.generations) {
      metrics.watch(generation, this.call, this.place.model.id);
    }
    const results = this.generations.map(({ result }) => result);
    // Not once the answer is read: maybe nobody ever does.
    Promise.allSettled(results).then(() => {
      this.place.leave();
      this.countTokens();
    });
    Promise.all(results).then(
      (all) => this.note(all),
      () => {}, // told to whoever reads
    );
  }

  private note(results: readonly GenerateResult[]): void {
    const { notes } = this.call;
    const prompts = results.filter((_, index) => index % this.choices === 0);
    notes.finishReasons = results.map((result) => result.finishReason);
    if (results[0]) notes.timings = results[0].timings;
    notes.promptTokens = prompts.reduce((sum, { timings }) => sum + timings.promptTokens, 0);
    notes.generatedTokens = results.reduce((sum, { timings }) => sum + timings.generatedTokens, 0);
    const { log, options } = this.serving;
    if (options.logPrompts) log.info({ requestId: this.call.id, output: results.map(({ text }) => text) }, "answers");
  }

  /** What a request took that was given up counts as well: else its tokens would be free. */
  private countTokens(): void {
    const tokens = this.generations.map(({ counts }, index) => {
      return counts.generatedTokens + (index % this.choices === 0 ? counts.promptTokens : 0);
    });
    this.serving.countTokens(
      this.call,
      tokens.reduce((sum, count) => sum + count, 0),
    );
  }
}

async function* eventsOf(generation: Generation, index: number): AsyncGenerator<ExchangeEvent, void, void> {
  for await (const piece of generation.tokens()) yield { kind: "piece", index, piece };
  yield { kind: "end", index, result: await generation.result };
}
