import { defined } from "../../base/defined.js";
import type { ChatMessage, ChatStyle, Tool } from "../../engine/chat.js";
import type { Gemma } from "../../runtime/gemma.js";
import { QuotaExceeded } from "./errors.js";

const NOTHING: ChatMessage = { role: "user", content: "" };
const NO_ANSWER: ChatMessage = { role: "assistant", content: "" };

export interface ConversationParts {
  readonly gemma: Gemma;
  readonly tools: readonly Tool[];
  readonly style: ChatStyle | undefined;
  readonly adapter: string | undefined;
}

/** The messages of a session, and how much of the context they take. */
export class Conversation {
  private constructor(
    private readonly parts: ConversationParts,
    /** Tokens of a prompt that says nothing. */
    private readonly overhead: number,
    /** Initial prompts, and a system message that came later: they are never left out. */
    private kept: readonly ChatMessage[],
    /** The messages of each prompt, with its response, and of each append. */
    private turns: readonly (readonly ChatMessage[])[],
    /** Tokens of all these, and of the tools. */
    private tokens: number,
  ) {}

  /** @throws QuotaExceeded */
  static async start(parts: ConversationParts, initial: readonly ChatMessage[]): Promise<Conversation> {
    const overhead = await parts.gemma.countTokens([NOTHING], defined({ style: parts.style, adapter: parts.adapter }));
    const conversation = new Conversation(parts, overhead, initial, [], 0);
    await conversation.fit([], 0);
    conversation.tokens = await conversation.tokensWith([]);
    return conversation;
  }

  clone(): Conversation {
    return new Conversation(this.parts, this.overhead, this.kept, this.turns, this.tokens);
  }

  /** Tokens that messages and tools take. */
  get usage(): number {
    return this.tokens;
  }

  /** Tokens that they may take. */
  get window(): number {
    return this.parts.gemma.info.contextLength - this.overhead;
  }

  get messages(): readonly ChatMessage[] {
    return [...this.kept, ...this.turns.flat()];
  }

  /** Tokens of the prompt that asks for an answer to `messages`. */
  promptTokens(messages: readonly ChatMessage[]): Promise<number> {
    const { gemma, style, adapter, tools } = this.parts;
    return gemma.countTokens(messages, { tools, ...defined({ style, adapter }) });
  }

  /** Tokens that `added` would add. */
  async measure(added: readonly ChatMessage[]): Promise<number> {
    return (await this.tokensWith(added)) - (await this.tokensWith([]));
  }

  /**
   * Leaves out the oldest turns until `added` and `room` tokens behind it fit the context, or until none are left. What
   * is left out stays out.
   *
   * @returns whether any were left out
   * @throws QuotaExceeded when `added` does not fit even then; nothing is left out
   */
  async fit(added: readonly ChatMessage[], room: number): Promise<boolean> {
    for (let out = 0; ; out++) {
      const turns = this.turns.slice(out);
      const tokens = await this.tokensOf([...this.kept, ...turns.flat(), ...added]);
      if (tokens > this.window - room && turns.length > 0) continue;
      if (tokens >= this.window) throw new QuotaExceeded(tokens, this.window);
      if (out === 0) return false;
      this.turns = turns;
      this.tokens = await this.tokensWith([]);
      return true;
    }
  }

  /** A prompt and its response, or what was appended; nothing of it once the signal is aborted. */
  async add(added: readonly ChatMessage[], signal: AbortSignal): Promise<void> {
    const tokens = await this.tokensWith(added);
    signal.throwIfAborted();
    const [first, ...rest] = added;
    const isSystem = first?.role === "system";
    if (isSystem) this.kept = [first, ...this.kept];
    this.turns = [...this.turns, isSystem ? rest : added];
    this.tokens = tokens;
  }

  private tokensWith(added: readonly ChatMessage[]): Promise<number> {
    return this.tokensOf([...this.messages, ...added]);
  }

  private async tokensOf(messages: readonly ChatMessage[]): Promise<number> {
    // Turns are counted whole: a question with the opening of its answer.
    const turns = messages.at(-1)?.role === "user" ? [...messages, NO_ANSWER] : messages;
    return (await this.promptTokens([...turns, NOTHING])) - this.overhead;
  }
}
