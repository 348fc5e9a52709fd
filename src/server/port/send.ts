import type { ServerResponse } from "node:http";

/** So much must leave within the time for one write: a reader that takes less is as good as none. */
const SLICE_BYTES = 64 << 10;

/** The reader has gone, or was cut off for taking nothing. */
export class ReaderGone extends Error {
  override readonly name = "AbortError";
}

/**
 * Writes a response as fast as it is read: no more than a slice lies between the body's stream and the socket. A stream is
 * cancelled when its reader goes.
 *
 * @param writeMs  time for each slice; then the connection is cut
 * @throws ReaderGone; the error of a body that failed, with the connection cut so that the reader can tell
 */
export async function send(response: Response, outgoing: ServerResponse, writeMs: number): Promise<void> {
  const reader = response.body?.getReader();
  const cancel = () => void reader?.cancel(new ReaderGone("the connection was closed")).catch(() => {});
  outgoing.once("close", cancel);
  try {
    expectOpen(outgoing);
    outgoing.statusCode = response.status;
    for (const [name, value] of response.headers) outgoing.appendHeader(name, value);
    if (reader === undefined) outgoing.end();
    else await sendBody(reader, outgoing, writeMs);
    if (!outgoing.writableFinished) await soonEnough(outgoing, "finish", writeMs);
  } catch (error) {
    outgoing.destroy();
    throw error;
  } finally {
    outgoing.off("close", cancel);
    cancel();
  }
}

async function sendBody(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  outgoing: ServerResponse,
  writeMs: number,
): Promise<void> {
  let next = reader.read();
  let part = await atHand(next);
  if (part === undefined) {
    outgoing.flushHeaders(); // a stream that begins later: its reader shall see that it was accepted
    part = await next;
  } else if (!part.done) {
    next = reader.read();
    const { value } = part;
    part = await atHand(next);
    // All of it is here, as of most answers: Node adds its length.
    if (part?.done && value.length <= SLICE_BYTES) return void outgoing.end(value);
    await write(value);
    part ??= await next;
  }
  for (; !part.done; part = await reader.read()) await write(part.value);
  expectOpen(outgoing);
  outgoing.end();

  async function write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      expectOpen(outgoing);
      if (!outgoing.write(bytes.subarray(at, at + SLICE_BYTES))) await soonEnough(outgoing, "drain", writeMs);
    }
  }
}

/** What a promise has at hand, or undefined: no timer, one turn of the event loop. */
function atHand<T>(promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, new Promise<undefined>((resolve) => setImmediate(resolve, undefined))]);
}

function soonEnough(outgoing: ServerResponse, event: "drain" | "finish", timeoutMs: number): Promise<void> {
  expectOpen(outgoing);
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      clearTimeout(timer);
      outgoing.off(event, done);
      outgoing.off("close", gone);
      if (error) reject(error);
      else resolve();
    };
    const done = () => settle();
    const gone = () => settle(new ReaderGone("the connection was closed"));
    const timer = setTimeout(() => settle(new ReaderGone(`nothing was read for ${timeoutMs / 1000} s`)), timeoutMs);
    outgoing.once(event, done);
    outgoing.once("close", gone);
  });
}

function expectOpen(outgoing: ServerResponse): void {
  if (outgoing.destroyed || outgoing.socket?.destroyed) throw new ReaderGone("the connection was closed");
}
