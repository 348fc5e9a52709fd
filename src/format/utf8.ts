import { GemmaError } from "../base/errors.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text of UTF-8 bytes; a byte order mark is kept as U+FEFF.
 * @throws ERR_INVALID_UTF8 `where: must be UTF-8, got invalid bytes`
 */
export function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new GemmaError("ERR_INVALID_UTF8", `${where}: must be UTF-8, got invalid bytes`, { cause });
  }
}
