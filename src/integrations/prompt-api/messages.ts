import type { ChatMessage } from "../../engine/chat.js";
import { domException } from "./errors.js";
import type { LanguageModelMessage, LanguageModelPrompt } from "./types.js";

/**
 * The messages of a prompt.
 *
 * @param hasInput whether the session has messages already: a system message is the first of all
 * @throws TypeError; DOMException SyntaxError for a prefix in the wrong place; NotSupportedError for what is not text
 */
export function toMessages(prompt: LanguageModelPrompt, hasInput: boolean): ChatMessage[] {
  const given = typeof prompt === "string" ? [userMessage(prompt)] : prompt;
  const messages = given.length === 0 ? [userMessage("")] : given;
  return messages.map((message, i) => {
    if (message.role === "system" && (hasInput || i > 0)) {
      throw new TypeError("a system message must be the first one of the session");
    }
    if (message.prefix) {
      if (message.role !== "assistant" || i < messages.length - 1) {
        throw domException("SyntaxError", "prefix: must be of an assistant's message at the end");
      }
      throw domException("NotSupportedError", "prefix: is not supported");
    }
    return { role: message.role, content: contentText(message) };
  });
}

function userMessage(content: string): LanguageModelMessage {
  return { role: "user", content };
}

function contentText({ content }: LanguageModelMessage): string {
  if (typeof content === "string") return content;
  const texts = content.map(({ type, value }) => {
    if (type !== "text") throw domException("NotSupportedError", `content: must be text, got ${type}`);
    if (typeof value !== "string") throw new TypeError(`content: the value of a text must be a string, got ${value}`);
    return value;
  });
  return texts.join("");
}
