import { z } from "@hono/zod-openapi";
import type { ChatMessage, ToolCall } from "../../engine/chat.js";
import { optional } from "../openai/fields.js";
import { MOST_MESSAGES, MOST_TOOLS, QUESTION, toolsSchema, toTools } from "../openai/messages.js";
import { operation } from "../routes.js";
import { answer, loadAnswer, type WritePart } from "./answers.js";
import { answerFields, endFields, generateOptions, noImages } from "./fields.js";

const toolCall = z.object({
  id: optional(z.string().max(256)),
  function: z.object({ name: z.string().max(128), arguments: z.record(z.string(), z.unknown()).default({}) }),
});

const messageSchema = z.object({
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: optional(z.string()),
  images: noImages,
  tool_calls: optional(z.array(toolCall).max(MOST_TOOLS)),
  tool_name: optional(z.string().max(128)),
  tool_call_id: optional(z.string().max(256)),
});

type MessageInput = z.output<typeof messageSchema>;

const requestSchema = z
  .object({
    ...answerFields,
    messages: optional(z.array(messageSchema).max(MOST_MESSAGES)),
    tools: optional(toolsSchema),
    truncate: optional(z.boolean()).openapi({
      description: "Whether the oldest turns are left out where the context is too short. Default: true.",
    }),
  })
  .openapi("OllamaChatRequest");

const answerMessage = z.object({
  role: z.literal("assistant"),
  content: z.string(),
  tool_calls: z
    .array(
      z.object({
        id: z.string(),
        function: z.object({
          index: z.number().int(),
          name: z.string(),
          arguments: z.record(z.string(), z.unknown()),
        }),
      }),
    )
    .optional(),
});

export const ollamaChat = operation({
  method: "post",
  path: "/api/chat",
  summary: "Answer a conversation",
  tag: "Ollama",
  span: "chat",
  body: requestSchema,
  example: (model) => ({
    model,
    messages: [QUESTION],
    options: { num_predict: 32 },
    stream: false,
  }),
  response: z
    .object({ model: z.string(), created_at: z.string(), message: answerMessage, ...endFields })
    .openapi("OllamaChatResponse"),
  streams: "application/x-ndjson",
  async handle(serving, call, input) {
    if (!input.messages?.length) return loadAnswer(serving, input.model, writeMessage(""));
    const messages = chatMessages(input.messages);
    return answer(serving, call, input, writeMessage, ({ engine, options }) =>
      engine.answer(messages, {
        ...generateOptions(input, serving.options.limits.maxTokens),
        ...options,
        ...(input.tools?.length ? { tools: toTools(input.tools) } : {}),
        ...(input.truncate === false ? { overflow: "error" as const } : {}),
      }),
    );
  },
});

const writeMessage: WritePart = (content, calls) => ({
  message: { role: "assistant", content, ...(calls?.length ? { tool_calls: calls.map(writeCall) } : {}) },
});

function writeCall({ id, name, arguments: values }: ToolCall, index: number) {
  return { id, function: { index, name, arguments: values } };
}

/** Calls without an id, which older clients leave out, are told apart by their places. */
export function chatMessages(messages: readonly MessageInput[]): readonly ChatMessage[] {
  let waiting: ToolCall[] = []; // for their results
  return messages.map((message, i): ChatMessage => {
    const { role, tool_calls: calls } = message;
    const content = message.content ?? "";
    if (role === "tool") return { role, content, ...answered(message, waiting) };
    if (role !== "assistant" || !calls?.length) return { role, content };
    const toolCalls = calls.map(({ id, function: { name, arguments: values } }, j): ToolCall => {
      return { id: id || `call_${i}_${j}`, name, arguments: values };
    });
    waiting = [...toolCalls]; // results come behind their calls: those of earlier turns are no longer waited for
    return { role, content, toolCalls };
  });
}

/** The call that a result answers: the one it names, else the first of its tool that waits, else the first. */
function answered({ tool_call_id: id, tool_name: name }: MessageInput, waiting: ToolCall[]): { toolCallId?: string } {
  const at = waiting.findIndex((call) => (id ? call.id === id : call.name === name));
  const [call] = at < 0 && id ? [] : waiting.splice(Math.max(0, at), 1);
  const toolCallId = id || call?.id;
  return toolCallId === undefined ? {} : { toolCallId };
}
