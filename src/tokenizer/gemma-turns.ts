import { GemmaError } from "../base/errors.js";
import { control, type Segment, text } from "./prompt.js";

/** A part of a message: text, or the place of an image. */
export type ContentPart = { readonly type: "text"; readonly text: string } | { readonly type: "image" };

export interface Message {
  /** "model" is Gemma's own word for "assistant". */
  readonly role: "system" | "user" | "assistant" | "model";
  readonly content: string | readonly ContentPart[];
}

export interface TurnOptions {
  /** Whether the prompt ends with the opening of the model's turn. */
  readonly addGenerationPrompt: boolean;
}

/**
 * The prompt of a conversation, in the turns that Gemma 1, 2 and 3 were tuned on, as Gemma 3's own template
 * writes them:
 *
 *     <start_of_turn>user
 *     {system, and an empty line}{content}<end_of_turn>
 *     <start_of_turn>model
 *     ...
 *
 * There is no system turn: its text goes in front of the first user's. Content is trimmed. What the messages say stays
 * text, also where it looks like a control token. BOS is not part of the turns; encodePrompt adds it.
 *
 * @throws ERR_TEMPLATE unless the roles are user, model, user, ... after at most one system message
 */
export function gemmaTurns(messages: readonly Message[], options: TurnOptions): Segment[] {
  const system = messages[0]?.role === "system" ? messages[0] : undefined;
  const turns = system === undefined ? messages : messages.slice(1);
  if (turns.length === 0) throw new GemmaError("ERR_TEMPLATE", "messages: must hold a user message, got none");

  const segments: Segment[] = [];
  for (const [i, message] of turns.entries()) {
    const expected = i % 2 === 0 ? "user" : "model";
    const role = message.role === "assistant" ? "model" : message.role;
    if (role !== expected) {
      const where = `messages[${system === undefined ? i : i + 1}]`;
      throw new GemmaError(
        "ERR_TEMPLATE",
        `${where}: roles must alternate user, assistant, user, ...; got ${message.role}`,
      );
    }
    segments.push(control("<start_of_turn>"), text(`${role}\n`));
    if (i === 0 && system !== undefined) segments.push(text(`${systemText(system)}\n\n`));
    segments.push(...contentSegments(message), control("<end_of_turn>"), text("\n"));
  }
  if (options.addGenerationPrompt) segments.push(control("<start_of_turn>"), text("model\n"));
  return segments;
}

function systemText(message: Message): string {
  if (typeof message.content === "string") return message.content;
  const first = message.content[0];
  if (message.content.length === 1 && first?.type === "text") return first.text;
  throw new GemmaError("ERR_TEMPLATE", "messages[0]: a system message must be one text, got several parts or an image");
}

function contentSegments(message: Message): Segment[] {
  if (typeof message.content === "string") return [text(trim(message.content))];
  return message.content.map((part) => (part.type === "image" ? control("<start_of_image>") : text(trim(part.text))));
}

/** Jinja's `trim`, which is Python's str.strip(): other spaces than JavaScript's trim() knows. */
function trim(content: string): string {
  let start = 0;
  let end = content.length;
  while (start < end && PYTHON_SPACE.test(content[start]!)) start++;
  while (end > start && PYTHON_SPACE.test(content[end - 1]!)) end--;
  return content.slice(start, end);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: U+001C to U+001F are spaces in Python
const PYTHON_SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
