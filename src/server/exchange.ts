import type { Piece } from "../engine/generate-job.js";
import type { GenerateResult, Generation } from "../runtime/generation.js";
import type { Call } from "./call.js";
import { type Place, takePlace } from "./place.js";
import type { Serving } from "./serving.js";

/** What happens in a request's generations, choice by choice as it comes. */
export type ExchangeEvent =
  | { readonly kind: "piece"; readonly index: number; readonly piece: Piece }
  | { readonly kind: "end"; readonly index: number; readonly result: GenerateResult };

/** The generations of one request: one a prompt and choice. */
export class Exchange {
  private constructor(
    private readonly serving: Serving,
    private readonly call: Call,
    readonly place: Place,
    readonly generations: readonly Generation[],
  ) {}

  /** Waits for a place, then starts what `start` makes. @throws what takePlace and `start` throw */
  static async begin(
    serving: Serving,
    call: Call,
    input: { readonly model?: string | null | undefined; readonly priority?: number | null | undefined },
    start: (place: Place) => readonly Generation[] | Promise<readonly Generation[]>,
  ): Promise<Exchange> {
    const place = await takePlace(serving, call, input.model, input.priority);
    call.notes.model = place.model.id;
    try {
      const exchange = new Exchange(serving, call, place, await start(place));
      exchange.observe();
      return exchange;
    } catch (error) {
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
    } finally {
      this.place.leave();
    }
  }

  /** Waits for the first piece: until then an error still has a status of its own. */
  async firstPiece(): Promise<void> {
    try {
      await Promise.race(this.generations.map((generation) => generation.tokens().next()));
    } catch (error) {
      this.call.abort(error);
      this.place.leave();
      throw error;
    }
  }

  /** Pieces of all choices as they come, and each one's end. Leaving the loop gives the rest up. */
  async *events(): AsyncGenerator<ExchangeEvent, void, void> {
    const sources = new Map(this.generations.map((generation, index) => [index, eventsOf(generation, index)]));
    const next = new Map<number, Promise<IteratorResult<ExchangeEvent, void>>>();
    const advance = (index: number) => {
      const promise = sources.get(index)!.next();
      promise.catch(() => {}); // it may fail while nobody reads
      next.set(index, promise);
    };
    for (const index of sources.keys()) advance(index);
    let isDone = false;
    try {
      while (next.size > 0) {
        const ready = [...next].map(([index, promise]) => promise.then((item) => ({ index, item })));
        const { index, item } = await Promise.race(ready);
        if (item.done) next.delete(index);
        else {
          advance(index);
          yield item.value;
        }
      }
      isDone = true;
    } finally {
      if (!isDone) this.call.leave();
      this.place.leave();
    }
  }

  private observe(): void {
    const { metrics } = this.serving;
    for (const generation of this.generations) {
      metrics.watch(generation, this.call, this.place.model.id);
    }
    Promise.all(this.generations.map(({ result }) => result)).then(
      (results) => {
        const { notes } = this.call;
        notes.finishReasons = results.map((result) => result.finishReason);
        if (results[0]) notes.timings = results[0].timings;
        notes.promptTokens = results[0]?.timings.promptTokens ?? 0;
        notes.generatedTokens = results.reduce((sum, { timings }) => sum + timings.generatedTokens, 0);
        const { log, options } = this.serving;
        if (options.logPrompts)
          log.info({ requestId: this.call.id, output: results.map(({ text }) => text) }, "answers");
        this.serving.countTokens(this.call, notes.promptTokens + notes.generatedTokens);
      },
      () => {}, // told to whoever reads
    );
  }
}

async function* eventsOf(generation: Generation, index: number): AsyncGenerator<ExchangeEvent, void, void> {
  for await (const piece of generation.tokens()) yield { kind: "piece", index, piece };
  yield { kind: "end", index, result: await generation.result };
}
