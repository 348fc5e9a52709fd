import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import { GemmaError } from "../../base/errors.js";
import type { ChatMessage, ToolCall } from "../../engine/chat.js";

/** @throws ERR_UNSUPPORTED_OPTION `messages[0]: must be text, got image_url` */
export function toMessages(messages: readonly BaseMessage[]): ChatMessage[] {
  return messages.map((message, i): ChatMessage => {
    const content = textOf(message, `messages[${i}]`);
    if (ToolMessage.isInstance(message)) return { role: "tool", content, toolCallId: message.tool_call_id };
    if (AIMessage.isInstance(message)) {
      const toolCalls = (message.tool_calls ?? []).map(
        (call, n): ToolCall => ({ id: call.id ?? `${i}.${n}`, name: call.name, arguments: call.args }),
      );
      return { role: "assistant", content, ...(toolCalls.length > 0 ? { toolCalls } : {}) };
    }
    return { role: roleOf(message, `messages[${i}]`), content };
  });
}

function roleOf(message: BaseMessage, where: string): "system" | "user" | "assistant" {
  const role = message.type === "generic" && "role" in message ? message.role : message.type;
  if (role === "human" || role === "user") return "user";
  if (role === "system" || role === "developer") return "system";
  if (role === "assistant") return "assistant";
  throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: must be of a human, ai, system or tool, got ${role}`);
}

/** Of a model's own message, blocks that are no text say what its other fields say as well, or are its thoughts. */
function textOf({ content, type }: BaseMessage, where: string): string {
  if (typeof content === "string") return content;
  const texts = content.flatMap((block) => {
    if (block.type === "text") return [String(block.text)];
    if (type === "ai") return [];
    throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: must be text, got ${block.type}`);
  });
  return texts.join(type === "ai" ? "" : "\n");
}
