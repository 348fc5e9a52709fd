import type {
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4ToolCall,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from "@ai-sdk/provider";
import type { ToolCall } from "../../engine/chat.js";
import type { GenerateResult } from "../../runtime/generation.js";

export function contentOf({ text, toolCalls = [] }: GenerateResult): LanguageModelV4Content[] {
  return [...(text === "" ? [] : [{ type: "text" as const, text }]), ...toolCalls.map(toolCallOf)];
}

export function toolCallOf({ id, name, arguments: input }: ToolCall): LanguageModelV4ToolCall {
  return { type: "tool-call", toolCallId: id, toolName: name, input: JSON.stringify(input) };
}

/** The names are the same. */
export function finishReasonOf({ finishReason }: GenerateResult): LanguageModelV4FinishReason {
  return { unified: finishReason, raw: finishReason };
}

export function usageOf({ timings }: GenerateResult): LanguageModelV4Usage {
  const { promptTokens, cachedTokens, generatedTokens } = timings;
  return {
    inputTokens: {
      total: promptTokens,
      noCache: promptTokens - cachedTokens,
      cacheRead: cachedTokens,
      cacheWrite: undefined,
    },
    outputTokens: { total: generatedTokens, text: generatedTokens, reasoning: 0 },
    raw: { ...timings },
  };
}

export const UNKNOWN_USAGE: LanguageModelV4Usage = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};

export function providerMetadataOf({ droppedMessages }: GenerateResult): SharedV4ProviderMetadata {
  return { gemma: { droppedMessages } };
}
