import { GemmaError } from "../base/errors.js";
import { pauses } from "../base/macrotask.js";
import { withPauses } from "../base/slices.js";
import { gemmaTurns } from "../tokenizer/gemma-turns.js";
import { encodePromptSlices, type Segment, text } from "../tokenizer/prompt.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";

/** A call of a tool that a model has written. */
export interface ToolCall {
  /** Names the call among those of its conversation. */
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface ChatMessage {
  /** "tool": what a called tool has returned. */
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  /** Of an assistant's message: what it called. */
  readonly toolCalls?: readonly ToolCall[];
  /** Of a tool's message: the id of the call that it answers. */
  readonly toolCallId?: string;
}

/** A function that a model may call. The library never runs it: it hands out the call. */
export interface Tool {
  /** Letters, digits and `_ . : / -`, at most 128. */
  readonly name: string;
  readonly description?: string;
  /** JSON schema of the arguments, which are an object. Default: there are none. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Whether a call's arguments must conform to `parameters`, also where the model is free to call. Default: false. */
  readonly strict?: boolean;
}

/** "auto": the model may call. "none": it may not. "required": it must. A name: it must call this one. Default: "auto". */
export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

/** A message as the styles write it: tool calls and their results are text here. */
export interface PlainMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
  /** Of a user's message: it goes on with the turn before, with what tools have returned. */
  readonly isResult?: boolean;
}

/** Whether a conversation has neither calls nor results. */
export function isPlain(messages: readonly ChatMessage[]): boolean {
  return messages.every(({ role, toolCalls }) => role !== "tool" && !toolCalls?.length);
}

/**
 * How a conversation becomes a prompt. "gemma": the turn template of the instruction-tuned models. "qa": for
 * pre-trained models, which were never taught turns:
 *
 *     {system}\n\nQuestion: {user}\nAnswer: {assistant}\n\nQuestion: {user}\nAnswer:
 *
 * "template": the chat template that came with the checkpoint.
 */
export type ChatStyle = "gemma" | "qa" | "template";

/** How one style writes a conversation; system messages come first. */
export interface ChatForm {
  readonly segments: (messages: readonly PlainMessage[]) => readonly Segment[] | Promise<readonly Segment[]>;
  /** Where an answer ends, beside the end-of-sequence tokens. */
  readonly stops: readonly string[];
}

export const CHAT_FORMS: Readonly<Record<Exclude<ChatStyle, "template">, ChatForm>> = {
  gemma: { segments: (messages) => gemmaTurns(messages, { addGenerationPrompt: true }), stops: [] },
  qa: { segments: questionsAndAnswers, stops: ["\nQuestion:", "\n\n"] },
};

export interface ChatPrompt {
  readonly ids: readonly number[];
  /** The caller's messages that were left out, the oldest first, because the context is too short for all. */
  readonly dropped: number;
}

/**
 * Encodes a conversation that ends with a user message. When it is longer than `budget` tokens the oldest turns are
 * left out, never the system text nor the last message. @throws ERR_CONTEXT_FULL when even those do not fit; the reason
 * of an aborted signal
 */
export async function chatPrompt(
  tokenizer: Tokenizer,
  messages: readonly PlainMessage[],
  form: ChatForm,
  budget: number,
  signal?: AbortSignal,
): Promise<ChatPrompt> {
  const system = joined(messages.filter((m) => m.role === "system"));
  const turns = joined(messages.filter((m) => m.role !== "system"));
  if (turns.at(-1)?.role !== "user") {
    throw new GemmaError("ERR_TEMPLATE", "chat: the last message must be the user's, or the result of a tool");
  }
  const pause = pauses(signal); // a long conversation takes half a second each time
  const promptFrom = async (dropped: number): Promise<ChatPrompt> => {
    const segments = await form.segments([...system, ...turns.slice(dropped)]);
    const ids = await withPauses(encodePromptSlices(tokenizer, segments), pause);
    return { ids: [...ids], dropped: turns.slice(0, dropped).reduce((sum, { parts }) => sum + parts, 0) };
  };
  const whole = await promptFrom(0);
  if (whole.ids.length <= budget) return whole;
  const nextFrom = async (dropped: number): Promise<ChatPrompt> => {
    await pause();
    return promptFrom(dropped);
  };

  // A question goes with all answers to it, and calls with their results: what is left starts with a question.
  const starts = turns.flatMap(({ role, isResult }, i) => (role === "user" && !isResult && i > 0 ? [i] : []));
  let best = await nextFrom(starts.at(-1) ?? 0);
  if (best.ids.length > budget) {
    const last = turns.at(-1)?.isResult ? "last question with its calls and results" : "last message";
    const what = `chat: the ${last} must fit the context: ${best.ids.length} tokens, ${budget} allowed`;
    throw new GemmaError("ERR_CONTEXT_FULL", what, { hint: "shorten the message, or load with a larger --ctx" });
  }
  // By halves: encoding a conversation anew for each of a thousand turns would take minutes.
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    const prompt = await nextFrom(starts[middle]!);
    if (prompt.ids.length <= budget) [best, high] = [prompt, middle];
    else low = middle + 1;
  }
  return best;
}

interface Turn extends PlainMessage {
  /** How many of the caller's messages it holds. */
  readonly parts: number;
}

/** Neighbours of one role as one message: the model was taught strictly alternating turns. */
function joined(messages: readonly PlainMessage[]): Turn[] {
  const result: Turn[] = [];
  for (const message of messages) {
    const last = result.at(-1);
    if (last?.role === message.role)
      result.splice(-1, 1, { ...last, content: `${last.content}\n\n${message.content}`, parts: last.parts + 1 });
    else result.push({ ...message, parts: 1 });
  }
  return result;
}

function questionsAndAnswers(messages: readonly PlainMessage[]): readonly Segment[] {
  const lines = messages.map(({ role, content, isResult }) => {
    if (role === "user") return `${isResult ? "" : "Question: "}${content.trim()}\nAnswer:`;
    return role === "system" ? `${content.trim()}\n\n` : ` ${content.trim()}\n\n`;
  });
  return [text(lines.join(""))];
}
