import { DEFAULT_MODEL } from "../load/catalogue.js";
import { GemmaModel } from "./gemma-model.js";
import { openEngine } from "./link-node.js";
import type { LoadProgress, LoadSettings } from "./protocol.js";

export type { AnswerOptions, EmbedOptions, GenerateCallOptions, ScoreOptions } from "./gemma-model.js";

export interface LoadOptions extends Omit<LoadSettings, "model"> {
  /** Adapters to load with the model: name to PEFT folder. */
  readonly adapters?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Lines for people, e.g. the licence of weights that are fetched, or which backend was chosen. */
  readonly onNote?: (line: string) => void;
  /** Runs the engine in the caller's thread, which is then blocked during each step. For tests and debuggers. */
  readonly inProcess?: boolean;
}

/**
 * A loaded Gemma model. The engine runs in a worker thread: nothing here blocks the event loop.
 *
 * @example
 * const gemma = await Gemma.load("gemma-3-270m");
 * for await (const piece of gemma.generate("Once upon a time", { maxTokens: 64 })) process.stdout.write(piece);
 * await gemma.dispose();
 */
export class Gemma extends GemmaModel {
  /**
   * Loads a model by name (`gemma-3-270m`), source (`hf:google/gemma-2b`) or path, fetching it first if needed.
   * @throws GemmaError; the reason of an aborted signal
   */
  static async load(model: string = DEFAULT_MODEL, options: LoadOptions = {}): Promise<Gemma> {
    const { signal, onProgress, onNote, inProcess = false, adapters = {}, ...settings } = options;
    const link = openEngine(inProcess);
    try {
      const info = await link.call(
        "load",
        { ...settings, model },
        {
          signal,
          onEvent: (event) => {
            if (event.kind === "progress") onProgress?.(event.progress);
            if (event.kind === "note") onNote?.(event.text);
          },
        },
      );
      const gemma = new Gemma(link, info);
      for (const [name, path] of Object.entries(adapters)) {
        signal?.throwIfAborted();
        await gemma.addAdapter(name, path);
      }
      return gemma;
    } catch (error) {
      await link.dispose();
      throw error;
    }
  }
}
