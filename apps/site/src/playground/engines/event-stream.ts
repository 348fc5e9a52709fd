/** The data of each event of a text/event-stream, until its end or `[DONE]`. */
export async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let pending = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      pending += done ? "\n\n" : value;
      const events = pending.replaceAll("\r\n", "\n").split("\n\n");
      pending = events.pop() ?? "";
      for (const event of events) {
        const lines = event.split("\n").filter((line) => line.startsWith("data:"));
        const data = lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
        if (data === "[DONE]") return;
        if (data !== "") yield data;
      }
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => {}); // a server that goes on is told to stop
  }
}
