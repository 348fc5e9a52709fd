import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { Started } from "./language-model.js";
import { finishReasonOf, providerMetadataOf, toolCallOf, UNKNOWN_USAGE, usageOf } from "./result.js";

const TEXT_ID = "text";

/**
 * The parts of a generation, from its first text on: what goes wrong before rejects, as the SDK expects it of a call
 * that cannot be made, and warnings are complete. Cancelling the stream cancels the generation.
 */
export async function streamParts(started: Started): Promise<ReadableStream<LanguageModelV4StreamPart>> {
  const pieces = started.generation[Symbol.asyncIterator]();
  const parts = partsOf(started, pieces, await pieces.next());
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await pieces.return();
    },
  });
}

async function* partsOf(
  { generation, response, warnings, signal }: Started,
  pieces: AsyncGenerator<string, void, void>,
  first: IteratorResult<string, void>,
): AsyncGenerator<LanguageModelV4StreamPart, void, void> {
  yield { type: "stream-start", warnings };
  yield { type: "response-metadata", ...response };
  try {
    if (!first.done) {
      yield { type: "text-start", id: TEXT_ID };
      for (let next: IteratorResult<string, void> = first; !next.done; next = await pieces.next()) {
        yield { type: "text-delta", id: TEXT_ID, delta: next.value };
      }
      yield { type: "text-end", id: TEXT_ID };
    }
    const result = await generation.result;
    for (const call of result.toolCalls ?? []) {
      const { id, name } = call;
      const toolCall = toolCallOf(call);
      yield { type: "tool-input-start", id, toolName: name };
      yield { type: "tool-input-delta", id, delta: toolCall.input };
      yield { type: "tool-input-end", id };
      yield toolCall;
    }
    const finishReason = finishReasonOf(result);
    yield { type: "finish", finishReason, usage: usageOf(result), providerMetadata: providerMetadataOf(result) };
  } catch (error) {
    if (signal?.aborted) throw error;
    yield { type: "error", error };
    yield { type: "finish", finishReason: { unified: "error", raw: undefined }, usage: UNKNOWN_USAGE };
  }
}
