import { setMaxListeners } from "node:events";
import { Worker } from "node:worker_threads";
import { GemmaError } from "../base/errors.js";
import type { CallEvent, Calls, CallType, FromWorker, ToWorker } from "./protocol.js";

/** worker-node.ts with all that it imports, in two files where src/ has over a hundred: scripts/build.mjs. */
const WORKER = "./bundle/worker-node.js";

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  onEvent(event: CallEvent): void;
  readonly signal: AbortSignal | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: (event: CallEvent) => void;
}

/** The caller's side of the protocol: sends calls to the engine and matches answers to them. */
export class EngineLink {
  private nextId = 1;
  private readonly pending = new Map<number, Pending>();
  private closed: GemmaError | null = null;
  private tellEnd: (why: GemmaError) => void = () => {};
  /** Resolves when there is no engine any more. */
  readonly ended = new Promise<GemmaError>((resolve) => {
    this.tellEnd = resolve;
  });
  private readonly send: (message: ToWorker) => void;
  private readonly terminate: () => Promise<unknown>;

  /** @param inProcess runs the engine in the caller's thread, which then blocks during each step; for tests and debuggers */
  constructor(inProcess: boolean) {
    if (inProcess) {
      // Not at the top: the caller's thread has no use for the engine's code when a worker runs it.
      const host = import("./host.js").then(
        ({ EngineHost }) => new EngineHost((message) => this.receive(message), true),
      );
      this.send = (message) => void host.then((engine) => engine.handle(message));
      this.terminate = () => Promise.resolve();
      return;
    }
    // No flags of the process: a worker refuses --input-type, and needs no loaders.
    const settings = { name: "gemma-engine", execArgv: [] };
    const worker = new Worker(new URL(WORKER, import.meta.url), settings);
    worker.on("message", (messages: readonly FromWorker[]) => {
      for (const message of messages) this.receive(message);
    });
    worker.on("error", (error) => this.close(`the engine's worker failed: ${error.message}`));
    worker.on("exit", () => this.close("the engine's worker has ended"));
    worker.unref(); // a loaded model alone does not keep the process alive; a call under way does
    this.send = (message) => worker.postMessage(message);
    this.terminate = () => worker.terminate();
    this.hold = (busy) => (busy ? worker.ref() : worker.unref());
  }

  private readonly hold: (busy: boolean) => void = () => {};

  call<T extends CallType>(
    type: T,
    params: Calls[T]["params"],
    options: CallOptions = {},
  ): Promise<Calls[T]["result"]> {
    const { signal } = options;
    if (this.closed) return Promise.reject(this.closed);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (signal) setMaxListeners(0, signal); // one signal may end many calls: that is no leak
    const id = this.nextId++;
    const abort = signal ? new Int32Array(new SharedArrayBuffer(4)) : null;
    return new Promise((resolve, reject) => {
      const cancel = () => {
        if (abort) Atomics.store(abort, 0, 1);
        this.send({ type: "cancel", id });
      };
      signal?.addEventListener("abort", cancel, { once: true });
      const settle = () => {
        signal?.removeEventListener("abort", cancel);
        this.pending.delete(id);
        if (this.pending.size === 0) this.hold(false);
      };
      this.pending.set(id, {
        resolve: (value) => {
          settle();
          resolve(value as Calls[T]["result"]);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
        onEvent: (event) => {
          try {
            options.onEvent?.(event);
          } catch (error) {
            // A callback of the caller's has thrown: its call fails, and no other.
            this.pending.get(id)?.reject(error);
            cancel();
          }
        },
        signal,
      });
      this.hold(true);
      try {
        this.send({ type, id, params, abort } as ToWorker);
      } catch (error) {
        this.pending.get(id)?.reject(new GemmaError("ERR_USAGE", `${type}: must get plain data`, { cause: error }));
      }
    });
  }

  /** Ends the engine; calls under way are rejected. Idempotent. */
  async dispose(): Promise<void> {
    if (this.closed) return;
    await this.call("dispose", null).catch(() => {});
    this.close("the model was disposed", "ERR_DISPOSED");
    await this.terminate();
  }

  private receive(message: FromWorker): void {
    const call = this.pending.get(message.id);
    if (!call) return; // answered or given up
    if (message.type === "event") call.onEvent(message.event);
    else if (message.type === "result") call.resolve(message.result);
    else if ("abort" in message.error) call.reject(call.signal?.reason ?? new DOMException("aborted", "AbortError"));
    else call.reject(GemmaError.fromJSON(message.error));
  }

  private close(why: string, code: "ERR_WORKER" | "ERR_DISPOSED" = "ERR_WORKER"): void {
    this.closed ??= new GemmaError(code, why);
    this.tellEnd(this.closed);
    for (const call of [...this.pending.values()]) call.reject(this.closed);
  }
}
