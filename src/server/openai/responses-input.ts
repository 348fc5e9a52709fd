import { z } from "@hono/zod-openapi";
import type { ChatMessage, Tool, ToolCall, ToolChoice } from "../../engine/chat.js";
import { fewEntries, optional, samplingFields, tokenLimit } from "./fields.js";
import {
  callArguments,
  functionSchema,
  jsonSchemaObject,
  MOST_MESSAGES,
  MOST_TOOLS,
  textOf,
  toTool,
} from "./messages.js";

const MOST_METADATA = 16;

const textPart = z.object({ type: z.enum(["input_text", "output_text"]), text: z.string() });
const content = z.union([z.string(), z.array(textPart).max(MOST_MESSAGES)]);

const messageItem = z.object({
  type: z.literal("message").optional(),
  role: z.enum(["user", "assistant", "system", "developer"]),
  content,
});

const callItem = z.object({
  type: z.literal("function_call"),
  call_id: z.string().max(256),
  name: z.string().max(128),
  arguments: z.string(),
});

const resultItem = z.object({
  type: z.literal("function_call_output"),
  call_id: z.string().max(256),
  output: content,
});

const itemSchema = z.union([messageItem, callItem, resultItem]).openapi("ResponseInputItem");

const functionTool = z.object({ type: z.literal("function"), ...functionSchema.shape });

const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.object({ type: z.literal("function"), name: z.string().max(128) }),
]);

const formatSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    name: z.string().max(256),
    description: optional(z.string()),
    schema: jsonSchemaObject,
    strict: optional(z.boolean()),
  }),
]);

/** What would need a store of responses. */
const absent = (what: string) =>
  z.null({ error: `must be null: this server keeps no ${what}, send all of the conversation as input` }).optional();

export const responsesRequestSchema = z
  .object({
    model: samplingFields.model,
    input: z.union([z.string(), z.array(itemSchema).min(1).max(MOST_MESSAGES)]),
    instructions: optional(z.string()),
    max_output_tokens: tokenLimit,
    temperature: samplingFields.temperature,
    top_p: samplingFields.top_p,
    top_k: samplingFields.top_k,
    min_p: samplingFields.min_p,
    repetition_penalty: samplingFields.repetition_penalty,
    seed: samplingFields.seed,
    tools: optional(z.array(functionTool).max(MOST_TOOLS)),
    tool_choice: optional(toolChoice),
    parallel_tool_calls: optional(z.boolean()),
    text: optional(z.object({ format: optional(formatSchema) })),
    include: optional(z.array(z.string().max(64)).max(16)).openapi({
      description: "`message.output_text.logprobs` adds log-probabilities; what else OpenAI has never occurs here.",
    }),
    top_logprobs: optional(z.number().int().min(0).max(20)),
    truncation: optional(z.enum(["auto", "disabled"])).openapi({
      description: "auto: the oldest turns are left out where the context is too short. Default: disabled.",
    }),
    reasoning: optional(
      z.object({ effort: optional(z.literal("none", { error: "must be none: this model does not reason" })) }),
    ),
    metadata: optional(fewEntries(MOST_METADATA, z.record(z.string().max(64), z.string().max(512)))),
    user: samplingFields.user,
    priority: samplingFields.priority,
    stream: samplingFields.stream,
    store: optional(z.boolean()).openapi({ description: "Nothing is stored, whatever this says." }),
    background: optional(z.literal(false, { error: "must be false: this server keeps no responses to fetch later" })),
    previous_response_id: absent("responses"),
    conversation: absent("conversations"),
    prompt: absent("prompts"),
  })
  .openapi("ResponseRequest");

export type ResponsesRequest = z.output<typeof responsesRequestSchema>;

/** The conversation that the items tell; calls belong to the assistant's message before them. @throws ERR_BAD_REQUEST */
export function messagesOf({ input, instructions }: ResponsesRequest): readonly ChatMessage[] {
  const messages: ChatMessage[] = instructions ? [{ role: "system", content: instructions }] : [];
  if (typeof input === "string") return [...messages, { role: "user", content: input }];
  for (const [i, item] of input.entries()) {
    if (item.type === "function_call_output") {
      messages.push({ role: "tool", content: textOf(item.output), toolCallId: item.call_id });
    } else if (item.type === "function_call") {
      const values = callArguments(item.arguments, `input[${i}].arguments`);
      addCall(messages, { id: item.call_id, name: item.name, arguments: values });
    } else {
      const role = item.role === "developer" ? "system" : item.role;
      messages.push({ role, content: textOf(item.content) });
    }
  }
  return messages;
}

function addCall(messages: ChatMessage[], call: ToolCall): void {
  const last = messages.at(-1);
  if (last?.role !== "assistant") messages.push({ role: "assistant", content: "", toolCalls: [call] });
  else messages.splice(-1, 1, { ...last, toolCalls: [...(last.toolCalls ?? []), call] });
}

/** What the answer may call. */
export function callingOptions({ tools, tool_choice: choice, parallel_tool_calls: parallel }: ResponsesRequest): {
  readonly tools?: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
} {
  return {
    ...(tools?.length ? { tools: tools.map(toTool) } : {}),
    ...(choice ? { toolChoice: typeof choice === "string" ? choice : { name: choice.name } } : {}),
    ...(typeof parallel === "boolean" ? { parallelToolCalls: parallel } : {}),
  };
}

/** The schema that the text must conform to; undefined: any text. */
export function textSchema({ text }: ResponsesRequest): Readonly<Record<string, unknown>> | undefined {
  const format = text?.format;
  if (!format || format.type === "text") return undefined;
  return format.type === "json_object" ? { type: "object" } : format.schema;
}

/** Alternatives with each token's log-probability; undefined: none of these were asked for. */
export function wantedLogprobs({ include, top_logprobs: top }: ResponsesRequest): number | undefined {
  return include?.includes("message.output_text.logprobs") ? (top ?? 0) : undefined;
}
