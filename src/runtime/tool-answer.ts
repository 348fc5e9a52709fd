import type { PlainMessage, ToolCall } from "../engine/chat.js";
import { callGrammar } from "../engine/tools/call-grammar.js";
import { callIds } from "../engine/tools/call-ids.js";
import { CallStream } from "../engine/tools/call-stream.js";
import { expectCalling } from "../engine/tools/calling.js";
import { idsOf, plainMessages } from "../engine/tools/prompt.js";
import type { Calls, GenerateOutcome } from "./protocol.js";

/** One answer of a conversation with tools: how it is asked for, what it is held to, and how calls are read out of it. */
export class ToolAnswer {
  readonly messages: readonly PlainMessage[];
  /** null: the answer is free. */
  readonly grammar: string | null;
  private readonly stream: CallStream | null;
  private readonly taken: readonly string[];
  private readonly seed: number;

  /** @throws ERR_USAGE, ERR_RANGE, ERR_SCHEMA */
  constructor({ messages, calling, options }: Calls["chat"]["params"]) {
    expectCalling(calling);
    this.messages = plainMessages(messages, calling);
    this.grammar = callGrammar(calling, options.jsonSchema);
    this.taken = idsOf(messages);
    this.seed = options.seed ?? Math.floor(Math.random() * 2 ** 53);
    const { tools, choice, parallel } = calling;
    const isRead = tools.length > 0 && choice !== "none";
    const names = tools.map(({ name }) => name);
    const most = parallel ? Number.POSITIVE_INFINITY : 1;
    this.stream = isRead ? new CallStream({ names, at: this.grammar === null ? "anywhere" : "start", most }) : null;
  }

  /** The part of a piece's text that is none of a call's. */
  push(text: string): string {
    return this.stream?.push(text) ?? text;
  }

  /** The rest of the text. */
  end(): string {
    return this.stream?.end() ?? "";
  }

  /** What has come of it, with the calls. */
  outcome(outcome: GenerateOutcome): GenerateOutcome {
    const written = this.stream?.calls ?? [];
    if (written.length === 0) return outcome;
    const ids = callIds(this.seed, written.length, this.taken);
    const toolCalls = written.map((call, i): ToolCall => ({ id: ids[i]!, ...call }));
    // A text that was cut might have gone on to call more.
    return {
      ...outcome,
      toolCalls,
      finishReason: outcome.finishReason === "stop" ? "tool-calls" : outcome.finishReason,
    };
  }
}
