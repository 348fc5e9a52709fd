import { z } from "@hono/zod-openapi";
import type { ToolCall } from "../../engine/chat.js";
import type { GenerateResult } from "../../runtime/generation.js";
import { sseEvent, streamResponse } from "../http/sse.js";
import { openAiError } from "../http/statuses.js";
import type { Call } from "../requests/call.js";
import { Exchange } from "../requests/exchange.js";
import type { Place } from "../requests/place.js";
import { TokenTable } from "../requests/token-table.js";
import { operation } from "../routes.js";
import type { Serving } from "../serving.js";
import { checkLimits } from "./check-limits.js";
import { optional, samplingFields, samplingOptions, tokenLimit, usageSchema } from "./fields.js";
import { chatLogprobs, chatLogprobsSchema, idsIn } from "./logprobs.js";
import {
  chatMessages,
  formatSchema,
  messagesSchema,
  QUESTION,
  responseFormatSchema,
  toolChoiceSchema,
  toolsSchema,
  toToolChoice,
  toTools,
} from "./messages.js";
import { finishReason, newId, nowSeconds, usageOf } from "./usage.js";

const requestSchema = z
  .object({
    ...samplingFields,
    messages: messagesSchema,
    max_tokens: tokenLimit,
    max_completion_tokens: tokenLimit,
    logprobs: optional(z.boolean()),
    top_logprobs: optional(z.number().int().min(0).max(20)),
    response_format: optional(responseFormatSchema),
    tools: optional(toolsSchema),
    tool_choice: optional(toolChoiceSchema),
    parallel_tool_calls: optional(z.boolean()),
  })
  .openapi("ChatCompletionRequest");

type ChatRequest = z.output<typeof requestSchema>;

const responseSchema = z
  .object({
    id: z.string(),
    object: z.literal("chat.completion"),
    created: z.number().int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.number().int(),
        message: z.object({
          role: z.literal("assistant"),
          content: z.string().nullable(),
          refusal: z.null(),
          tool_calls: z.array(z.record(z.string(), z.unknown())).optional(),
        }),
        logprobs: chatLogprobsSchema.nullable(),
        finish_reason: z.enum(["stop", "length", "tool_calls"]),
      }),
    ),
    usage: usageSchema,
  })
  .openapi("ChatCompletion");

export const chatCompletions = operation({
  method: "post",
  path: "/v1/chat/completions",
  summary: "Answer a conversation",
  tag: "OpenAI",
  span: "chat",
  body: requestSchema,
  example: (model) => ({
    model,
    messages: [QUESTION],
    max_completion_tokens: 32,
  }),
  response: responseSchema,
  streams: "text/event-stream",
  async handle(serving, call, input) {
    checkLimits(serving, input);
    const messages = chatMessages(input.messages);
    const exchange = await Exchange.begin(serving, call, input, (place) =>
      startAnswers(place, serving, input, messages),
    );
    const head = { id: newId("chatcmpl-"), created: nowSeconds(), model: exchange.place.model.id };
    const table = new TokenTable(exchange.place.engine);
    if (input.stream) {
      await exchange.firstPiece();
      return streamResponse(call, streamEvents(exchange, head, table, input, call));
    }
    const results = await exchange.results();
    await table.load(results.flatMap(({ logprobs }) => idsIn(logprobs ?? [])));
    return Response.json({
      ...head,
      object: "chat.completion",
      choices: results.map((result, index) => ({
        index,
        message: { role: "assistant", content: contentOf(result), refusal: null, ...toolCallsOf(result.toolCalls) },
        logprobs: input.logprobs ? chatLogprobs(result.logprobs ?? [], table.bytesOf) : null,
        finish_reason: finishReason(result.finishReason),
      })),
      usage: usageOf(results.map(({ timings }) => timings)),
    });
  },
});

function startAnswers(place: Place, serving: Serving, input: ChatRequest, messages: ReturnType<typeof chatMessages>) {
  const maxTokens = input.max_completion_tokens ?? input.max_tokens ?? serving.options.limits.maxTokens;
  const jsonSchema = formatSchema(input.response_format);
  const shared = {
    ...place.options,
    overflow: "error" as const,
    ...(jsonSchema === undefined ? {} : { jsonSchema }),
    ...(input.logprobs ? { logprobs: input.top_logprobs ?? 0 } : {}),
    ...(input.tools?.length ? { tools: toTools(input.tools) } : {}),
    ...(input.tool_choice ? { toolChoice: toToolChoice(input.tool_choice) } : {}),
    ...(typeof input.parallel_tool_calls === "boolean" ? { parallelToolCalls: input.parallel_tool_calls } : {}),
  };
  return Array.from({ length: input.n ?? 1 }, (_, index) =>
    place.engine.answer(messages, { ...samplingOptions(input, maxTokens, index), ...shared }),
  );
}

function contentOf({ text, toolCalls }: GenerateResult): string | null {
  return text === "" && toolCalls ? null : text;
}

function toolCallsOf(calls: readonly ToolCall[] | undefined) {
  if (!calls?.length) return {};
  return {
    tool_calls: calls.map(({ id, name, arguments: values }) => ({
      id,
      type: "function",
      function: { name, arguments: JSON.stringify(values) },
    })),
  };
}

/** The chunks of a streamed answer; an error on the way is one of them. */
async function* streamEvents(
  exchange: Exchange,
  head: { readonly id: string; readonly created: number; readonly model: string },
  table: TokenTable,
  input: ChatRequest,
  call: Call,
): AsyncGenerator<string, void, void> {
  const withUsage = input.stream_options?.include_usage ?? false;
  const chunk = (choices: readonly object[], usage: object | null = null) =>
    sseEvent({ ...head, object: "chat.completion.chunk", choices, ...(withUsage ? { usage } : {}) });
  const choice = (index: number, delta: object, logprobs: object | null = null, finish: string | null = null) =>
    chunk([{ index, delta, logprobs, finish_reason: finish }]);
  try {
    for (const index of exchange.generations.keys())
      yield choice(index, { role: "assistant", content: "", refusal: null });
    const timings: GenerateResult["timings"][] = [];
    for await (const event of exchange.events()) {
      if (event.kind === "piece") {
        const { text, logprob } = event.piece;
        if (logprob) await table.load(idsIn([logprob]));
        const logprobs = logprob && input.logprobs ? chatLogprobs([logprob], table.bytesOf) : null;
        if (text !== "" || logprobs) yield choice(event.index, { content: text }, logprobs);
        continue;
      }
      const { toolCalls = [], finishReason: reason } = event.result;
      timings.push(event.result.timings);
      const calls = toolCallsOf(toolCalls).tool_calls?.map((one, index) => ({ index, ...one }));
      if (calls) yield choice(event.index, { tool_calls: calls });
      yield choice(event.index, {}, null, finishReason(reason));
    }
    if (withUsage) yield chunk([], usageOf(timings));
    yield sseEvent("[DONE]");
  } catch (error) {
    call.notes.error = error;
    yield sseEvent(openAiError(error));
  }
}
