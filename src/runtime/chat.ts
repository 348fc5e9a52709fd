import { GemmaError } from "../base/errors.js";
import type { ChatMessage } from "../engine/chat.js";
import type { GenerateCallOptions } from "./gemma-model.js";
import { Generation, type OnNote } from "./generation.js";
import type { CallEvent, GenerateOutcome } from "./protocol.js";

export interface ChatOptions {
  /** Instructions for the whole conversation; Gemma reads them in front of the first user turn. */
  readonly system?: string;
  /** Told when old turns are left out because the conversation outgrew the context. */
  readonly onNote?: OnNote;
}

type StartChat = (
  messages: readonly ChatMessage[],
  options: GenerateCallOptions,
  signal: AbortSignal,
  onEvent: (event: CallEvent) => void,
) => Promise<GenerateOutcome>;

/** A conversation. Each turn continues from the cached turns before it. */
export class Chat {
  private readonly history: ChatMessage[];
  private busy = false;

  constructor(
    private readonly start: StartChat,
    private readonly options: ChatOptions,
  ) {
    this.history = options.system === undefined ? [] : [{ role: "system", content: options.system }];
  }

  get messages(): readonly ChatMessage[] {
    return this.history;
  }

  /**
   * Sends a user message and streams the answer. The turn joins the history when the answer is complete; a turn that
   * failed or was cancelled leaves it as it was. One turn at a time.
   */
  send(content: string, options: GenerateCallOptions = {}): Generation {
    const user: ChatMessage = { role: "user", content };
    const generation = new Generation(
      async (signal, onEvent) => {
        if (this.busy) throw new GemmaError("ERR_USAGE", "chat: the turn before must end first");
        this.busy = true;
        try {
          return await this.start([...this.history, user], options, signal, onEvent);
        } finally {
          this.busy = false;
        }
      },
      { signal: options.signal, onNote: this.options.onNote },
    );
    generation.result.then(
      ({ text }) => this.history.push(user, { role: "assistant", content: text }),
      () => {}, // told to whoever awaits or iterates
    );
    return generation;
  }
}
