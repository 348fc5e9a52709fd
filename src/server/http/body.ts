import { GemmaError } from "../../base/errors.js";
import { parseJson } from "../../format/json.js";
import { toPlain } from "../../format/json-lines.js";

/** A request is small beside a checkpoint's files: fewer values, the same depth. */
const MAX_VALUES = 1_000_000;
const FIRST_BYTES = 4096;

/**
 * A request's body as plain JSON values.
 *
 * @throws ERR_MEDIA_TYPE unless it says that it is JSON: browsers send other types to foreign hosts without asking
 * @throws ERR_BODY_TOO_LARGE as soon as more than `maxBytes` have come, whatever the header says
 * @throws ERR_BAD_REQUEST, ERR_INVALID_JSON and what else parseJson throws
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json") {
    throw new GemmaError("ERR_MEDIA_TYPE", `body: content-type must be application/json, got ${JSON.stringify(type)}`);
  }
  const bytes = await readBody(request, maxBytes);
  return toPlain(parseJson(bytes, "body", { maxSize: maxBytes, maxValues: MAX_VALUES }), "body");
}

async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = (got: number | string) =>
    new GemmaError("ERR_BODY_TOO_LARGE", `body: must have at most ${maxBytes} bytes, got ${got}`);
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > maxBytes) throw tooLarge(announced);
  let bytes = new Uint8Array(FIRST_BYTES);
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      const end = length + chunk.length;
      if (end > maxBytes) throw tooLarge("more");
      if (end > bytes.length) bytes = grown(bytes, Math.max(end, 2 * bytes.length));
      bytes.set(chunk, length);
      length = end;
    }
  } catch (error) {
    if (error instanceof GemmaError) throw error;
    throw new GemmaError("ERR_BAD_REQUEST", "body: must come whole, got a part", { cause: error });
  }
  return bytes.subarray(0, length);
}

/** Chunks are not kept: a body may come byte by byte, and each costs a hundred times its size. */
function grown(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size);
  larger.set(bytes);
  return larger;
}
