import { bytesSource } from "./byte-source.js";
import { readVersion } from "./gguf.js";
import { GgufCursor } from "./gguf-cursor.js";
import { GGUF_TYPES, type GgufValue, readGgufValue } from "./gguf-values.js";

/** Metadata that the first bytes of a GGUF file hold. */
export interface GgufFront {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** Entries of the token list, which is too long to be among them; null: it does not begin there. */
  readonly tokens: number | null;
}

/**
 * Reads what the first bytes of a GGUF file tell: converters write the configuration before the vocabulary. Where the bytes end
 * it ends, too.
 * @throws ERR_BAD_MAGIC, ERR_UNSUPPORTED_VERSION
 */
export function parseGgufFront(name: string, bytes: Uint8Array): GgufFront {
  const cursor = new GgufCursor(bytesSource(name, bytes));
  const metadata = new Map<string, GgufValue>();
  readVersion(cursor);
  try {
    cursor.size(); // tensors
    const pairs = cursor.size();
    for (let i = 0; i < pairs; i++) {
      const key = cursor.string("a key");
      const type = cursor.u32();
      if (key === "tokenizer.ggml.tokens" && type === GGUF_TYPES.array) {
        cursor.u32(); // of the entries
        return { metadata, tokens: cursor.size() };
      }
      metadata.set(key, readGgufValue(cursor, type, key));
    }
  } catch {
    // The bytes end here, or the file is damaged: loading it will tell.
  }
  return { metadata, tokens: null };
}
