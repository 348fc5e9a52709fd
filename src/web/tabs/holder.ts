import type { EngineLink } from "../../runtime/link.js";
import type { CallEvent, ModelInfo } from "../../runtime/protocol.js";
import { wireError } from "../../runtime/wire-error.js";
import type { TabCall, TabMessage } from "./messages.js";

/** Serves the calls of other tabs with this tab's engine. */
export class Holder {
  /** Calls under way, by tab. */
  private readonly calls = new Map<string, Map<number, AbortController>>();
  private readonly waiting = new Set<(event: CallEvent) => void>();

  constructor(
    private readonly id: string,
    private readonly post: (message: TabMessage) => void,
    private readonly engine: EngineLink,
    /** What this tab's own load gives. */
    private readonly loaded: Promise<ModelInfo>,
  ) {
    post({ kind: "here", from: id });
  }

  /** An event of this tab's load: tabs that wait for it hear it, too. */
  loadEvent(event: CallEvent): void {
    for (const tell of this.waiting) tell(event);
  }

  receive(message: TabMessage): void {
    if (message.kind === "hello") {
      if (!this.calls.has(message.from)) void this.watch(message.from, message.lock);
      this.post({ kind: "here", from: this.id, to: message.from });
    } else if (message.kind === "call") void this.serve(message);
    else if (message.kind === "cancel") this.calls.get(message.from)?.get(message.id)?.abort();
  }

  /** Ends the calls of a tab when it is gone, however it went: its lock is free then. */
  private async watch(tab: string, lock: string): Promise<void> {
    const calls = new Map<number, AbortController>();
    this.calls.set(tab, calls);
    await navigator.locks.request(lock, () => {});
    for (const call of calls.values()) call.abort();
    this.calls.delete(tab);
  }

  private async serve(call: TabCall): Promise<void> {
    const { from, id } = call;
    const calls = this.calls.get(from);
    if (!calls) return; // gone already
    const controller = new AbortController();
    const { signal } = controller;
    calls.set(id, controller);
    const answer = (message: Extract<TabMessage, { kind: "answer" }>["message"]) =>
      this.post({ kind: "answer", to: from, message });
    try {
      const result = await this.run(call, signal, (event) => answer({ type: "event", id, event }));
      answer({ type: "result", id, result });
    } catch (error) {
      answer({ type: "error", id, error: wireError(error, signal) });
    } finally {
      calls.delete(id);
    }
  }

  private async run(call: TabCall, signal: AbortSignal, onEvent: (event: CallEvent) => void): Promise<unknown> {
    this.waiting.add(onEvent);
    try {
      const info = await Promise.race([this.loaded, aborted(signal)]);
      if (call.type === "load") return info;
    } finally {
      this.waiting.delete(onEvent);
    }
    return this.engine.call(call.type, call.params as never, { signal, onEvent });
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}
