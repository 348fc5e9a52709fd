import type { Call } from "../requests/call.js";

const encoder = new TextEncoder();

/** Types of streamed bodies: events for OpenAI's clients, a JSON document a line for Ollama's. */
export type StreamType = "text/event-stream" | "application/x-ndjson";

/** One server-sent event. */
export function sseEvent(data: unknown, event?: string): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${text}\n\n`;
}

/**
 * The texts as a response, made as fast as the client takes them. A client that leaves aborts the call: what the texts
 * wait for fails then, and their `finally` blocks run.
 */
export function streamResponse(
  call: Call,
  texts: AsyncGenerator<string, void, void>,
  type: StreamType = "text/event-stream",
): Response {
  call.isStreaming = true;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await texts.next();
        if (!done) return controller.enqueue(encoder.encode(value));
        controller.close();
      } catch (error) {
        call.notes.error ??= error;
        controller.error(error);
      }
      call.end();
    },
    async cancel() {
      call.leave();
      await texts.return();
      call.end();
    },
  });
  const headers = {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": "no-store",
    "x-accel-buffering": "no", // proxies such as nginx would collect the events
  };
  return new Response(body, { headers });
}
