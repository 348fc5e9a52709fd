import type { Gemma } from "../../runtime/gemma.js";
import type { NamedModel } from "../models.js";
import type { Serving } from "../serving.js";
import type { Call } from "./call.js";

/** What the engine is told of every request beside its own options. */
export interface CommonOptions {
  readonly signal: AbortSignal;
  readonly tenant: string;
  readonly priority: number;
  readonly deadlineMs: number;
  readonly cacheSalt: string;
  /** Of generations. */
  readonly promptLookup: boolean;
  readonly maxPromptTokens?: number;
  readonly adapter?: string;
}

/** A request's place at work: give it back with leave(). */
export interface Place {
  readonly engine: Gemma;
  readonly model: NamedModel;
  readonly options: CommonOptions;
  /** Idempotent. */
  leave(): void;
}

/**
 * Waits for a place.
 * @param priority  the request's own, -100..0: added to that of the caller's key
 * @throws ERR_UNKNOWN_MODEL, ERR_NOT_READY, ERR_QUEUE_FULL, ERR_OVERLOADED, the reason of an aborted signal
 */
export async function takePlace(
  serving: Serving,
  call: Call,
  modelName: string | null | undefined,
  priority: number | null | undefined,
): Promise<Place> {
  const { tenant, salt } = call.caller;
  const own = Math.max(-100, call.caller.priority + (priority ?? 0));
  serving.models.resolve(modelName); // an unknown model does not wait
  const leave = await serving.admission.enter({ tenant, priority: own, signal: call.signal });
  try {
    const model = serving.models.resolve(modelName); // it may have been unloaded meanwhile
    const { requestSeconds, promptTokens } = serving.options.limits;
    const options: CommonOptions = {
      signal: call.signal,
      tenant,
      priority: own,
      get deadlineMs() {
        return Math.max(0, requestSeconds - call.elapsedSeconds) * 1000; // all before included, wherever it is asked for
      },
      ...(promptTokens === undefined ? {} : { maxPromptTokens: promptTokens }),
      cacheSalt: salt,
      promptLookup: serving.options.promptLookup,
      ...(model.adapter === undefined ? {} : { adapter: model.adapter }),
    };
    return { engine: serving.supervisor.engine, model, options, leave };
  } catch (error) {
    leave();
    throw error;
  }
}

/** Runs `work` in a place of its own. When it fails, what else of it is under way is given up. */
export async function inPlace<T>(
  serving: Serving,
  call: Call,
  modelName: string | null | undefined,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  const place = await takePlace(serving, call, modelName, 0);
  try {
    return await work(place);
  } catch (error) {
    call.abort(error);
    throw error;
  } finally {
    place.leave();
  }
}
