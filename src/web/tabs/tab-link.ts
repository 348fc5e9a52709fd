import { GemmaError } from "../../base/errors.js";
import type { CallLink, CallOptions, EngineLink } from "../../runtime/link.js";
import type { CallEvent, Calls, CallType, ModelInfo } from "../../runtime/protocol.js";
import { folderName } from "../storage/files.js";
import { Guest } from "./guest.js";
import { Holder } from "./holder.js";
import type { TabMessage } from "./messages.js";

/** Whether tabs of this browser can find out who holds a model, and talk to it. */
export function sharesTabs(): boolean {
  return typeof BroadcastChannel === "function" && (navigator as { locks?: unknown }).locks !== undefined;
}

interface Load {
  readonly params: Calls["load"]["params"];
  readonly onEvent: (event: CallEvent) => void;
}

/**
 * One engine for all tabs of a site that load the same model with the same settings. The tab that has the lock holds it; the
 * others send it their calls. When it goes, the browser gives the lock to one of them, which loads the model itself: calls
 * that were under way fail with ERR_WORKER, those that come meanwhile wait.
 */
export class TabLink implements CallLink {
  private readonly id = crypto.randomUUID();
  private readonly lock: string;
  private readonly channel: BroadcastChannel;
  /** Aborted when this tab wants the model no more: its locks are free then. */
  private readonly leave = new AbortController();
  private load: Load | null = null;
  private own: EngineLink | null = null;
  private holding: Promise<ModelInfo> | null = null;
  private guest: Guest | null = null;
  private isDisposed = false;
  /** Resolves when there is an engine to call. */
  private engine: Promise<EngineLink>;
  private setEngine: (engine: EngineLink) => void = () => {};
  private tellEnd: (why: GemmaError) => void = () => {};
  readonly ended = new Promise<GemmaError>((resolve) => {
    this.tellEnd = resolve;
  });

  /** @param open starts an engine in this tab */
  constructor(
    key: string,
    private readonly open: () => EngineLink,
  ) {
    this.lock = `gemma-ts:model:${folderName(key)}`;
    this.channel = new BroadcastChannel(this.lock);
    this.engine = this.nextEngine();
  }

  get holder(): "this-tab" | "other-tab" {
    return this.own ? "this-tab" : "other-tab";
  }

  async call<T extends CallType>(
    type: T,
    params: Calls[T]["params"],
    options: CallOptions = {},
  ): Promise<Calls[T]["result"]> {
    if (type === "load") return this.begin(params as Calls["load"]["params"], options) as Promise<Calls[T]["result"]>;
    const engine = await this.engine;
    return engine.call(type, params, options);
  }

  async dispose(): Promise<void> {
    if (this.isDisposed) return;
    this.isDisposed = true;
    const end = new GemmaError("ERR_DISPOSED", "the model was disposed");
    await (this.own ?? this.guest?.engine)?.dispose();
    this.leave.abort(end);
    this.channel.close();
    this.tellEnd(end);
  }

  /** The first call. Whoever holds the model, it is loaded once. */
  private async begin(params: Calls["load"]["params"], { signal, onEvent }: CallOptions): Promise<ModelInfo> {
    this.load = { params, onEvent: (event) => onEvent?.(event) };
    if (await this.holdIfFree(signal)) return this.holding!;
    this.load.onEvent({ kind: "note", text: "another tab of this site holds the model: this one uses it there" });
    this.holdNext();
    await this.visit();
    const { engine } = this.guest!;
    return engine.call("load", params, { signal, onEvent: this.load.onEvent }).catch((error: unknown) => {
      if (this.holding !== null) return this.holding; // that tab was closed before the model was there
      throw error;
    });
  }

  /** Takes the lock if no other tab has it. */
  private holdIfFree(signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const request = navigator.locks.request(this.lock, { ifAvailable: true }, (held) => {
        resolve(held !== null);
        return held && this.hold(signal);
      });
      request.catch(reject);
    });
  }

  /** Waits for the lock, and takes the model over. */
  private holdNext(): void {
    const { signal } = this.leave;
    const request = navigator.locks.request(this.lock, { signal }, () => {
      this.load?.onEvent({ kind: "note", text: "the tab that held the model was closed: this one loads it" });
      this.engine = this.nextEngine(); // calls that come now wait
      const held = this.hold(undefined);
      this.guest?.lost();
      this.guest = null;
      this.holding?.catch((error: unknown) => {
        this.tellEnd(error instanceof GemmaError ? error : new GemmaError("ERR_WORKER", String(error)));
      });
      return held;
    });
    request.catch(() => {}); // disposed while it waited
  }

  /** Loads the model here and serves other tabs, until this tab wants it no more or the load fails. */
  private async hold(signal: AbortSignal | undefined): Promise<void> {
    const { params, onEvent } = this.load!;
    const engine = this.open();
    this.own = engine;
    void engine.ended.then((why) => this.tellEnd(why));
    let tell = onEvent;
    this.holding = engine.call("load", params, { signal, onEvent: (event) => tell(event) });
    const holder = new Holder(this.id, (message) => this.post(message), engine, this.holding);
    tell = (event) => {
      onEvent(event);
      holder.loadEvent(event);
    };
    this.channel.onmessage = ({ data }: MessageEvent<TabMessage>) => holder.receive(data);
    const leave = new Promise((resolve) => this.leave.signal.addEventListener("abort", resolve, { once: true }));
    const isLoaded = await this.holding.then(
      () => true,
      () => false, // the lock goes to a tab that may have better luck
    );
    this.setEngine(engine);
    if (isLoaded) await leave;
  }

  /** Uses the engine of the tab that has the lock. */
  private async visit(): Promise<void> {
    const lock = `${this.lock}:${this.id}`;
    await new Promise<void>((resolve) => {
      void navigator.locks.request(lock, () => {
        resolve();
        return new Promise((done) => this.leave.signal.addEventListener("abort", done, { once: true }));
      });
    });
    const join = () => {
      this.guest = new Guest(this.id, lock, (message) => this.post(message));
      this.setEngine(this.guest.engine);
    };
    this.channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
      if (!this.guest?.receive(data)) return;
      this.guest.lost();
      this.engine = this.nextEngine();
      join(); // another tab has taken over
    };
    join();
  }

  private nextEngine(): Promise<EngineLink> {
    return new Promise((resolve) => {
      this.setEngine = resolve;
    });
  }

  private post(message: TabMessage): void {
    if (!this.isDisposed) this.channel.postMessage(message);
  }
}
