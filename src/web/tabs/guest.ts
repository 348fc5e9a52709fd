import { type EngineEvents, EngineLink } from "../../runtime/link.js";
import type { ToWorker } from "../../runtime/protocol.js";
import type { TabMessage } from "./messages.js";

/** An engine that another tab holds. */
export class Guest {
  readonly engine: EngineLink;
  private events!: EngineEvents;
  private holder: string | null = null;
  private readonly waiting: TabMessage[] = []; // until somebody is there

  /** @param lock held by this tab as long as it wants the engine */
  constructor(
    private readonly id: string,
    private readonly lock: string,
    private readonly post: (message: TabMessage) => void,
  ) {
    this.engine = new EngineLink((events) => {
      this.events = events;
      return { send: (message) => this.send(message), terminate() {} };
    });
    this.hello();
  }

  /** @returns whether another tab holds the engine now: this one's calls have failed, and a new guest is needed */
  receive(message: TabMessage): boolean {
    if (message.kind === "answer" && message.to === this.id) this.events.receive(message.message);
    if (message.kind !== "here" || (message.to ?? this.id) !== this.id) return false;
    if (message.to === undefined) {
      if (this.holder !== null && this.holder !== message.from) return true;
      this.hello();
    } else if (this.holder === null) {
      this.holder = message.from;
      for (const one of this.waiting.splice(0)) this.post(one);
    }
    return false;
  }

  /** Ends the calls under way. */
  lost(): void {
    this.events.lost("the tab that held the model was closed; try again");
  }

  private hello(): void {
    this.post({ kind: "hello", from: this.id, lock: this.lock });
  }

  private send(message: ToWorker): void {
    const { id: from } = this;
    if (message.type === "dispose") {
      // The other tab goes on; it ends what this one has asked for when this one's lock is free.
      this.events.receive({ type: "result", id: message.id, result: null });
    } else if (message.type !== "cancel") {
      const { type, id, params } = message;
      this.say({ kind: "call", from, id, type, params } as TabMessage);
    } else if (this.holder !== null) this.say({ kind: "cancel", from, id: message.id });
    else this.events.receive({ type: "error", id: message.id, error: { abort: true } });
  }

  private say(message: TabMessage): void {
    if (this.holder === null) this.waiting.push(message);
    else this.post(message);
  }
}
