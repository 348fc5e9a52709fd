import { GemmaError } from "../base/errors.js";
import type { Gemma } from "../runtime/gemma.js";

export type EngineState = "loading" | "ready" | "restarting" | "failed" | "disposed";

export interface SupervisorOptions {
  /** The first pause before a crashed engine is loaded again; it doubles with each failure. Default: 500. */
  readonly firstPauseMs?: number;
  /** Default: 30,000. */
  readonly longestPauseMs?: number;
  /** An engine that ran so long starts again with the first pause. Default: 60,000. */
  readonly steadyMs?: number;
  /** Told when an engine has ended by itself, and when another one is there. */
  readonly onChange?: (state: EngineState, error: GemmaError | null) => void;
}

const WHY: Readonly<Record<EngineState, string>> = {
  loading: "is being loaded",
  ready: "is not",
  restarting: "has crashed and is being loaded again",
  failed: "could not be loaded",
  disposed: "was disposed",
};

/**
 * Holds the model, and loads it again when its engine has crashed. Requests that were under way have failed then; new
 * ones are refused until it is back.
 */
export class Supervisor {
  private gemma: Gemma | null = null;
  private current: EngineState = "loading";
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly adapters = new Map<string, string>(); // name to folder, added since the load
  private readonly removed = new Set<string>(); // names; the load may bring them back
  /** Resolves once the model is loaded for the first time; rejects where that fails. */
  readonly started: Promise<Gemma>;
  /** Engines that crashed. */
  crashes = 0;

  /** @param load  a model, which is then not loaded again, or what loads one */
  constructor(
    private readonly load: Gemma | (() => Promise<Gemma>),
    private readonly options: SupervisorOptions = {},
  ) {
    this.started = this.start();
    this.started.catch(() => {}); // told to whoever awaits it
  }

  get state(): EngineState {
    return this.current;
  }

  /** The loaded model. @throws ERR_NOT_READY while there is none */
  get engine(): Gemma {
    if (this.gemma && this.current === "ready") return this.gemma;
    throw new GemmaError("ERR_NOT_READY", `model: must be loaded, it ${WHY[this.current]}`);
  }

  /** Loads an adapter, now and after each restart. */
  async addAdapter(name: string, folder: string): Promise<void> {
    await this.engine.addAdapter(name, folder);
    this.adapters.set(name, folder);
    this.removed.delete(name);
  }

  /** Unloads an adapter, for good: a restart does not bring it back. */
  async removeAdapter(name: string): Promise<void> {
    await this.engine.removeAdapter(name);
    this.adapters.delete(name);
    this.removed.add(name);
  }

  /** Frees the model. Idempotent. */
  async dispose(): Promise<void> {
    clearTimeout(this.timer);
    this.current = "disposed";
    await this.gemma?.dispose();
  }

  private async start(): Promise<Gemma> {
    try {
      const gemma = typeof this.load === "function" ? await this.load() : this.load;
      for (const name of gemma.adapters) if (this.removed.has(name)) await gemma.removeAdapter(name);
      for (const [name, folder] of this.adapters) await this.addAgain(gemma, name, folder);
      if (this.current === "disposed") {
        await gemma.dispose();
        throw new GemmaError("ERR_DISPOSED", "the server was disposed");
      }
      this.gemma = gemma;
      this.current = "ready";
      this.watch(gemma, performance.now());
      return gemma;
    } catch (error) {
      if (this.current === "loading") this.current = "failed";
      throw error;
    }
  }

  /** An adapter that is gone meanwhile must not keep the model away. @throws ERR_WORKER where the engine is gone, not the adapter */
  private async addAgain(gemma: Gemma, name: string, folder: string): Promise<void> {
    try {
      await gemma.addAdapter(name, folder);
    } catch (error) {
      if (error instanceof GemmaError && error.code === "ERR_WORKER") throw error;
      this.adapters.delete(name);
      const reason = error instanceof Error ? error.message : String(error);
      this.options.onChange?.("restarting", new GemmaError("ERR_NOT_READY", `adapter ${name}: is lost: ${reason}`));
    }
  }

  private watch(gemma: Gemma, since: number): void {
    gemma.ended.then((error) => {
      if (this.current === "disposed") return;
      this.crashes++;
      if (performance.now() - since >= (this.options.steadyMs ?? 60_000)) this.failures = 0;
      this.gemma = null;
      this.current = typeof this.load === "function" ? "restarting" : "failed";
      this.options.onChange?.(this.current, error);
      if (this.current === "restarting") this.restartLater();
    });
  }

  private restartLater(): void {
    const { firstPauseMs = 500, longestPauseMs = 30_000, onChange } = this.options;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** this.failures++);
    this.timer = setTimeout(() => {
      this.start().then(
        () => onChange?.(this.current, null),
        (error: unknown) => {
          if (this.current !== "restarting") return;
          const known = error instanceof GemmaError ? error : new GemmaError("ERR_WORKER", String(error));
          onChange?.("restarting", known);
          this.restartLater();
        },
      );
    }, pauseMs);
  }
}
