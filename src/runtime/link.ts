import { GemmaError } from "../base/errors.js";
import type { CallEvent, Calls, CallType, FromWorker, ToWorker } from "./protocol.js";

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

/** What calls go through: an engine of this process or page, or of another tab. */
export interface CallLink {
  call<T extends CallType>(type: T, params: Calls[T]["params"], options?: CallOptions): Promise<Calls[T]["result"]>;
  /** Resolves when there is no engine any more. */
  readonly ended: Promise<GemmaError>;
  dispose(): Promise<void>;
}

/** The way to an engine. */
export interface EnginePort {
  send(message: ToWorker): void;
  terminate(): unknown;
  /** Whether calls are under way: a loaded model alone does not keep a process alive. */
  hold?(busy: boolean): void;
  /** A signal that a call watches. */
  watched?(signal: AbortSignal): void;
}

export interface EngineEvents {
  receive(message: FromWorker): void;
  /** The engine has died. */
  lost(why: string): void;
}

/** The caller's side of the protocol: sends calls to the engine and matches answers to them. */
export class EngineLink implements CallLink {
  private nextId = 1;
  private readonly pending = new Map<number, Pending>();
  private closed: GemmaError | null = null;
  private tellEnd: (why: GemmaError) => void = () => {};
  /** Resolves when there is no engine any more. */
  readonly ended = new Promise<GemmaError>((resolve) => {
    this.tellEnd = resolve;
  });
  private readonly port: EnginePort;

  constructor(open: (events: EngineEvents) => EnginePort) {
    this.port = open({ receive: (message) => this.receive(message), lost: (why) => this.close(why) });
  }

  call<T extends CallType>(
    type: T,
    params: Calls[T]["params"],
    options: CallOptions = {},
  ): Promise<Calls[T]["result"]> {
    const { signal } = options;
    if (this.closed) return Promise.reject(this.closed);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (signal) this.port.watched?.(signal);
    const id = this.nextId++;
    const abort = signal ? sharedFlag() : null;
    return new Promise((resolve, reject) => {
      const cancel = () => {
        if (abort) Atomics.store(abort, 0, 1);
        this.port.send({ type: "cancel", id });
      };
      signal?.addEventListener("abort", cancel, { once: true });
      const settle = () => {
        signal?.removeEventListener("abort", cancel);
        this.pending.delete(id);
        if (this.pending.size === 0) this.port.hold?.(false);
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
      this.port.hold?.(true);
      try {
        this.port.send({ type, id, params, abort } as ToWorker);
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
    await this.port.terminate();
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

/** A flag that is seen within a step. null where memory cannot be shared: a message ends the call between two steps. */
function sharedFlag(): Int32Array | null {
  return typeof SharedArrayBuffer === "function" ? new Int32Array(new SharedArrayBuffer(4)) : null;
}
