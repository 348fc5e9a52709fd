import { setTimeout as sleep } from "node:timers/promises";
import { GemmaError } from "../base/errors.js";
import { type JsonValue, parseJson } from "../format/json.js";
import type { GetOptions, Net } from "./net.js";
import { explainFailure, type Failure, statusError } from "./net-errors.js";
import { describeUrl } from "./spec.js";

const MAX_BYTES = 8 << 20;
const ATTEMPTS = 3;

export interface FetchJsonOptions extends GetOptions {
  readonly explainStatus?: (status: number) => GemmaError | undefined;
  readonly retryDelayMs?: number;
}

/** GETs a small JSON document. @throws like downloadFile, and the JSON errors */
export async function fetchJson(net: Net, url: URL, options: FetchJsonOptions): Promise<JsonValue> {
  for (let attempt = 1; ; attempt++) {
    const result = await attemptJson(net, url, options);
    if ("json" in result) return result.json;
    options.signal?.throwIfAborted();
    if (!result.transient || attempt === ATTEMPTS) throw result.error;
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    await sleep((options.retryDelayMs ?? 500) * 2 ** (attempt - 1), undefined, signal);
  }
}

async function attemptJson(net: Net, url: URL, options: FetchJsonOptions): Promise<Failure | { json: JsonValue }> {
  const where = describeUrl(url);
  try {
    const { status, body } = await net.get(url, options);
    try {
      if (status !== 200) {
        const known = options.explainStatus?.(status);
        return known === undefined ? statusError(where, status) : { error: known, transient: false };
      }
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of body) {
        size += chunk.length;
        if (size > MAX_BYTES) throw new GemmaError("ERR_LIMIT_EXCEEDED", `${where}: must be at most 8 MiB, got more`);
        chunks.push(chunk);
      }
      return { json: parseJson(Buffer.concat(chunks), where) };
    } finally {
      body.destroy();
    }
  } catch (error) {
    return explainFailure(error, where);
  }
}
