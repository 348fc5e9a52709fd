import { z } from "@hono/zod-openapi";
import type { ToolCall } from "../../engine/chat.js";
import type { GenerateResult } from "../../runtime/generation.js";
import type { Timings } from "../../runtime/protocol.js";
import type { chatLogprobs } from "./logprobs.js";
import type { ResponsesRequest } from "./responses-input.js";
import { newId, nowSeconds } from "./usage.js";

export type ResponseStatus = "in_progress" | "completed" | "incomplete" | "failed";
export type ItemStatus = "in_progress" | "completed" | "incomplete";
export type TokenLogprobs = NonNullable<ReturnType<typeof chatLogprobs>["content"]>;

const usageSchema = z.object({
  input_tokens: z.number().int(),
  input_tokens_details: z.object({ cached_tokens: z.number().int(), cache_write_tokens: z.number().int() }),
  output_tokens: z.number().int(),
  output_tokens_details: z.object({ reasoning_tokens: z.number().int() }),
  total_tokens: z.number().int(),
});

const itemStatus = z.enum(["in_progress", "completed", "incomplete"]);

export const responseSchema = z
  .object({
    id: z.string(),
    object: z.literal("response"),
    created_at: z.number().int(),
    status: z.enum(["in_progress", "completed", "incomplete", "failed"]),
    model: z.string(),
    output: z.array(
      z.union([
        z.object({
          id: z.string(),
          type: z.literal("message"),
          role: z.literal("assistant"),
          status: itemStatus,
          content: z.array(
            z.object({
              type: z.literal("output_text"),
              text: z.string(),
              annotations: z.array(z.unknown()),
              logprobs: z.array(z.unknown()),
            }),
          ),
        }),
        z.object({
          id: z.string(),
          type: z.literal("function_call"),
          call_id: z.string(),
          name: z.string(),
          arguments: z.string(),
          status: itemStatus,
        }),
      ]),
    ),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    incomplete_details: z.object({ reason: z.literal("max_output_tokens") }).nullable(),
    usage: usageSchema.nullable(),
    store: z.literal(false),
  })
  .openapi("Response");

export type OutputItem = z.output<typeof responseSchema>["output"][number];

/** What a response says from its beginning to its end: its name, and what was asked for. */
export type ResponseHead = ReturnType<typeof headOf>;

export function headOf(input: ResponsesRequest, model: string) {
  return {
    id: newId("resp_"),
    object: "response",
    created_at: nowSeconds(),
    model,
    background: false,
    instructions: input.instructions ?? null,
    max_output_tokens: input.max_output_tokens ?? null,
    metadata: input.metadata ?? {},
    parallel_tool_calls: input.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: "default",
    store: false,
    temperature: input.temperature ?? null,
    text: { format: input.text?.format ?? { type: "text" } },
    tool_choice: input.tool_choice ?? "auto",
    tools: (input.tools ?? []).map(({ type, name, description, parameters, strict }) => ({
      ...{ type, name, description: description ?? null },
      ...{ parameters: parameters ?? null, strict: strict ?? null },
    })),
    top_logprobs: input.top_logprobs ?? 0,
    top_p: input.top_p ?? null,
    truncation: input.truncation ?? "disabled",
    ...(input.user ? { user: input.user } : {}),
  };
}

/** The response as it is at one moment. */
export function responseAt(
  head: ResponseHead,
  status: ResponseStatus,
  output: readonly OutputItem[],
  rest: { readonly timings?: Timings; readonly error?: { readonly code: string; readonly message: string } } = {},
) {
  return {
    ...head,
    status,
    completed_at: status === "completed" ? nowSeconds() : null,
    output,
    error: rest.error ?? null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    usage: rest.timings === undefined ? null : usageOf(rest.timings),
  };
}

function usageOf({ promptTokens, cachedTokens, generatedTokens }: Timings): z.output<typeof usageSchema> {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: 0 },
    output_tokens: generatedTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + generatedTokens,
  };
}

/** An answer that was cut is not complete. */
export function statusOf({ finishReason }: GenerateResult): "completed" | "incomplete" {
  return finishReason === "length" ? "incomplete" : "completed";
}

export function textPart(text: string, logprobs: TokenLogprobs) {
  return { type: "output_text" as const, text, annotations: [], logprobs };
}

export function messageItem(
  id: string,
  status: ItemStatus,
  content: readonly ReturnType<typeof textPart>[],
): OutputItem {
  return { id, type: "message", role: "assistant", status, content: [...content] };
}

export function callItem(id: string, status: ItemStatus, call: ToolCall): OutputItem {
  const written = status === "in_progress" ? "" : JSON.stringify(call.arguments);
  return { id, type: "function_call", call_id: call.id, name: call.name, arguments: written, status };
}

/** A message where there is text, or nothing else; then the calls. */
export function outputOf(result: GenerateResult, logprobs: TokenLogprobs): OutputItem[] {
  const { text, toolCalls = [] } = result;
  const message = messageItem(newId("msg_"), statusOf(result), [textPart(text, logprobs)]);
  return [
    ...(text === "" && toolCalls.length > 0 ? [] : [message]),
    ...toolCalls.map((call) => callItem(newId("fc_"), "completed", call)),
  ];
}
