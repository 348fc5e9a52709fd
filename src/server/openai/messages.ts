import { z } from "@hono/zod-openapi";
import { GemmaError } from "../../base/errors.js";
import type { ChatMessage, Tool, ToolCall, ToolChoice } from "../../engine/chat.js";
import { optional } from "./fields.js";

export const MOST_MESSAGES = 4096;
export const MOST_TOOLS = 128;

const textPart = z.object({ type: z.literal("text"), text: z.string() });
const content = z.union([z.string(), z.array(textPart).min(1).max(MOST_MESSAGES)]);

const toolCall = z.object({
  id: z.string().max(256),
  type: z.literal("function").default("function"),
  function: z.object({ name: z.string().max(128), arguments: z.string() }),
});

const messageSchema = z.discriminatedUnion("role", [
  z.object({ role: z.literal("system"), content, name: optional(z.string()) }),
  z.object({ role: z.literal("developer"), content, name: optional(z.string()) }),
  z.object({ role: z.literal("user"), content, name: optional(z.string()) }),
  z.object({
    role: z.literal("assistant"),
    content: optional(content),
    name: optional(z.string()),
    tool_calls: optional(z.array(toolCall).max(MOST_TOOLS)),
  }),
  z.object({ role: z.literal("tool"), content, tool_call_id: z.string().max(256) }),
]);

/** A question for examples. */
export const QUESTION = { role: "user" as const, content: "What is the capital of France?" };

export const messagesSchema = z.array(messageSchema).min(1).max(MOST_MESSAGES);

type MessageInput = z.output<typeof messageSchema>;

/** @throws ERR_BAD_REQUEST for arguments of a tool call that are no JSON object */
export function chatMessages(messages: readonly MessageInput[]): readonly ChatMessage[] {
  return messages.map((message, i) => {
    const text = textOf(message.content ?? "");
    if (message.role === "tool") return { role: "tool", content: text, toolCallId: message.tool_call_id };
    if (message.role !== "assistant" || !message.tool_calls?.length) {
      return { role: message.role === "developer" ? "system" : message.role, content: text };
    }
    const toolCalls = message.tool_calls.map((call, j): ToolCall => {
      const where = `messages[${i}].tool_calls[${j}].function.arguments`;
      return { id: call.id, name: call.function.name, arguments: callArguments(call.function.arguments, where) };
    });
    return { role: "assistant", content: text, toolCalls };
  });
}

export function textOf(parts: string | readonly { readonly text: string }[]): string {
  return typeof parts === "string" ? parts : parts.map(({ text }) => text).join("");
}

/** Arguments as clients write them. @throws ERR_BAD_REQUEST that names `param` */
export function callArguments(json: string, param: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // said below
  }
  throw new GemmaError("ERR_BAD_REQUEST", `${param}: must be a JSON object, got ${JSON.stringify(json.slice(0, 80))}`, {
    param,
  });
}

export const jsonSchemaObject = z.record(z.string(), z.unknown());

/** A function as OpenAI's APIs describe it. */
export const functionSchema = z.object({
  name: z.string().max(128),
  description: optional(z.string()),
  parameters: optional(jsonSchemaObject),
  strict: optional(z.boolean()),
});

export const toolsSchema = z
  .array(
    z.object({
      type: z.literal("function"),
      function: functionSchema,
    }),
  )
  .max(MOST_TOOLS);

export const toolChoiceSchema = z.union([
  z.enum(["none", "auto", "required"]),
  z.object({ type: z.literal("function"), function: z.object({ name: z.string().max(128) }) }),
]);

export function toTool({ name, description, parameters, strict }: z.output<typeof functionSchema>): Tool {
  return {
    name,
    ...(typeof description === "string" ? { description } : {}),
    ...(parameters ? { parameters } : {}),
    ...(typeof strict === "boolean" ? { strict } : {}),
  };
}

export function toTools(tools: z.output<typeof toolsSchema>): readonly Tool[] {
  return tools.map((tool) => toTool(tool.function));
}

export function toToolChoice(choice: z.output<typeof toolChoiceSchema>): ToolChoice {
  return typeof choice === "string" ? choice : { name: choice.function.name };
}

export const responseFormatSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    json_schema: z.object({
      name: z.string().max(256),
      description: optional(z.string()),
      schema: optional(jsonSchemaObject),
      strict: optional(z.boolean()),
    }),
  }),
]);

/** The schema that the text must conform to; undefined: any text. */
export function formatSchema(
  format: z.output<typeof responseFormatSchema> | null | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (!format || format.type === "text") return undefined;
  return format.type === "json_object" ? { type: "object" } : (format.json_schema.schema ?? { type: "object" });
}
