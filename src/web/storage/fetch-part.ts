import { GemmaError } from "../../base/errors.js";
import { statusFailure } from "./http.js";

/** The first bytes of a file and, where the server tells, its size; a server without range requests is cut off. */
export async function fetchPart(
  url: URL,
  maxBytes: number,
  { headers, signal }: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal },
): Promise<{ readonly bytes: Uint8Array; readonly sizeBytes: number | null }> {
  const from = `${url.origin}${url.pathname}`;
  let response: Response;
  try {
    const range = `bytes=0-${maxBytes - 1}`;
    response = await fetch(url, { headers: { ...headers, range }, cache: "no-store", ...(signal ? { signal } : {}) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new GemmaError("ERR_NETWORK", `${from}: must answer, got ${String(cause)}`, { cause });
  }
  if (!response.ok) throw statusFailure(from, response.status).error;
  const total = /\/(\d{1,15})$/.exec(response.headers.get("content-range") ?? "")?.[1];
  const length = response.status === 200 ? response.headers.get("content-length") : null;
  const size = Number(total ?? length ?? Number.NaN);
  return { bytes: await firstBytes(response, maxBytes), sizeBytes: Number.isSafeInteger(size) ? size : null };
}

async function firstBytes(response: Response, maxBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(maxBytes);
  let done = 0;
  const reader = response.body!.getReader();
  while (done < maxBytes) {
    const { value, done: isEnd } = await reader.read();
    if (isEnd) break;
    const part = value.subarray(0, maxBytes - done);
    bytes.set(part, done);
    done += part.length;
  }
  await reader.cancel().catch(() => {});
  return bytes.subarray(0, done);
}
