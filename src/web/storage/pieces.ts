const PIECE_BYTES = 1 << 20;

/**
 * The bytes of an answer as they arrive, each piece valid until the next one is asked for. They are read into one buffer
 * again and again: browsers take two to three times as long where every piece is new memory.
 */
export async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = ownBuffer(body) ?? body.getReader();
  try {
    let buffer = new ArrayBuffer(PIECE_BYTES);
    for (;;) {
      const { done, value } =
        reader instanceof ReadableStreamDefaultReader ? await reader.read() : await reader.read(new Uint8Array(buffer));
      if (done) return;
      buffer = value.buffer as ArrayBuffer; // the reader has moved it
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** undefined: this browser cannot. */
function ownBuffer(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}
