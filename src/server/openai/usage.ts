import { randomBytes } from "node:crypto";
import type { FinishReason, Timings } from "../../runtime/protocol.js";

/** OpenAI's account of the tokens of a request with several choices. */
export function usageOf(timings: readonly Timings[]) {
  const prompt = timings[0]?.promptTokens ?? 0; // the choices share it
  const completion = timings.reduce((sum, { generatedTokens }) => sum + generatedTokens, 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: timings[0]?.cachedTokens ?? 0 },
  };
}

export function finishReason(reason: FinishReason): "stop" | "length" | "tool_calls" {
  return reason === "tool-calls" ? "tool_calls" : reason;
}

/** `chatcmpl-…`, from `chatcmpl-` */
export function newId(prefix: string): string {
  return prefix + randomBytes(12).toString("hex");
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
