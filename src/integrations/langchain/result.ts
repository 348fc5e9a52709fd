import { AIMessage, AIMessageChunk, type StandardMessageStructure, type UsageMetadata } from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";
import type { GenerateResult } from "../../runtime/generation.js";

export function chatResult(result: GenerateResult, model: string): ChatResult {
  const { text, toolCalls = [] } = result;
  const usage = usageOf(result);
  const message = new AIMessage<StandardMessageStructure>({
    content: text,
    tool_calls: toolCalls.map(({ id, name, arguments: args }) => ({ id, name, args, type: "tool_call" as const })),
    usage_metadata: usage,
    response_metadata: metadataOf(result, model),
  });
  const { input_tokens: promptTokens, output_tokens: completionTokens, total_tokens: totalTokens } = usage;
  return {
    generations: [{ text, message }],
    llmOutput: { tokenUsage: { promptTokens, completionTokens, totalTokens } },
  };
}

export function textChunk(text: string): ChatGenerationChunk {
  return new ChatGenerationChunk({ text, message: new AIMessageChunk({ content: text }) });
}

/** What is known at the end alone. Metadata is here only: texts in it would be joined with those of other chunks. */
export function lastChunk(result: GenerateResult, model: string): ChatGenerationChunk {
  const message = new AIMessageChunk<StandardMessageStructure>({
    content: "",
    tool_call_chunks: (result.toolCalls ?? []).map(({ id, name, arguments: args }, index) => {
      return { id, name, args: JSON.stringify(args), index, type: "tool_call_chunk" as const };
    }),
    usage_metadata: usageOf(result),
    response_metadata: metadataOf(result, model),
  });
  return new ChatGenerationChunk({ text: "", message });
}

function usageOf({ timings }: GenerateResult): UsageMetadata {
  const { promptTokens, cachedTokens, generatedTokens } = timings;
  return {
    input_tokens: promptTokens,
    output_tokens: generatedTokens,
    total_tokens: promptTokens + generatedTokens,
    input_token_details: { cache_read: cachedTokens },
  };
}

/** The name of the reason is OpenAI's, which graphs and agents look for. */
function metadataOf({ finishReason, droppedMessages }: GenerateResult, model: string) {
  const reason = finishReason === "tool-calls" ? "tool_calls" : finishReason;
  return { model_provider: "gemma", model_name: model, finish_reason: reason, dropped_messages: droppedMessages };
}
