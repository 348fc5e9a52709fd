import {
  type LanguageModelV4FilePart,
  type LanguageModelV4Message,
  type LanguageModelV4Prompt,
  type LanguageModelV4ToolResultOutput,
  type LanguageModelV4ToolResultPart,
  type SharedV4FileData,
  type SharedV4Warning,
  UnsupportedFunctionalityError,
} from "@ai-sdk/provider";
import type { ChatMessage, ToolCall } from "../../engine/chat.js";

/**
 * A prompt of the SDK as messages. What a text model cannot read and can do without is left out with a warning.
 * @throws UnsupportedFunctionalityError for files that are not text
 */
export function toMessages(prompt: LanguageModelV4Prompt, warnings: SharedV4Warning[]): ChatMessage[] {
  return prompt.flatMap((message): ChatMessage[] => {
    switch (message.role) {
      case "system":
        return [{ role: "system", content: message.content }];
      case "user": {
        const parts = message.content.map((part) => (part.type === "text" ? part.text : fileText(part)));
        return [{ role: "user", content: parts.join("\n") }];
      }
      case "assistant":
        return [assistantMessage(message, warnings)];
      case "tool":
        return message.content.flatMap((part) => (part.type === "tool-result" ? [toolMessage(part)] : []));
      default:
        return message satisfies never;
    }
  });
}

function assistantMessage(
  { content }: Extract<LanguageModelV4Message, { role: "assistant" }>,
  warnings: SharedV4Warning[],
): ChatMessage {
  let text = "";
  const toolCalls: ToolCall[] = [];
  for (const part of content) {
    if (part.type === "text") text += part.text;
    else if (part.type === "file") text += fileText(part);
    else if (part.type === "tool-call" && !part.providerExecuted) {
      toolCalls.push({ id: part.toolCallId, name: part.toolName, arguments: toolInput(part.input) });
    } else {
      warnings.push({ type: "unsupported", feature: `${part.type} in a prompt`, details: "it was left out" });
    }
  }
  return { role: "assistant", content: text, ...(toolCalls.length > 0 ? { toolCalls } : {}) };
}

/** Arguments that the SDK could not parse stay a string there. */
function toolInput(input: unknown): Readonly<Record<string, unknown>> {
  return typeof input === "object" && input !== null && !Array.isArray(input)
    ? (input as Readonly<Record<string, unknown>>)
    : { input };
}

function toolMessage({ toolCallId, output }: LanguageModelV4ToolResultPart): ChatMessage {
  return { role: "tool", content: outputText(output), toolCallId };
}

function outputText(output: LanguageModelV4ToolResultOutput): string {
  switch (output.type) {
    case "text":
    case "error-text":
      return output.value;
    case "json":
    case "error-json":
      return JSON.stringify(output.value);
    case "execution-denied":
      return output.reason ?? "The user has not allowed this call.";
    case "content":
      return output.value
        .flatMap((part) => (part.type === "text" ? [part.text] : part.type === "file" ? [fileText(part)] : []))
        .join("\n");
    default:
      return output satisfies never;
  }
}

function fileText({ data, mediaType }: Pick<LanguageModelV4FilePart, "data" | "mediaType">): string {
  const text = /^(text(\/|$)|application\/json$)/.test(mediaType) ? inlineText(data) : null;
  if (text !== null) return text;
  const functionality = `file of type ${mediaType}`;
  const message = `prompt: must be text, got a ${functionality}`;
  throw new UnsupportedFunctionalityError({ functionality, message });
}

/** null: the file is elsewhere. The SDK fetches URLs before, as no model here reads any. */
function inlineText(data: SharedV4FileData): string | null {
  if (data.type === "text") return data.text;
  if (data.type !== "data") return null;
  const bytes = typeof data.data === "string" ? Uint8Array.from(atob(data.data), (c) => c.charCodeAt(0)) : data.data;
  return new TextDecoder().decode(bytes);
}
