import { GemmaError } from "../base/errors.js";
import { TOKEN_TYPE } from "../format/token-table.js";
import type { Vocabulary } from "./vocabulary.js";

export interface DecodeOptions {
  /** Whether control tokens appear by name (`<end_of_turn>`) or not at all. Default "keep". */
  readonly controls?: "keep" | "skip";
}

/**
 * The text of token ids. Bytes that form no character become U+FFFD.
 * @throws ERR_RANGE for an id that is no token
 */
export function decode(vocabulary: Vocabulary, ids: ArrayLike<number>, options: DecodeOptions = {}): string {
  const bytes = new TokenBytes(vocabulary);
  const skip = options.controls === "skip";
  let length = 0;
  for (let i = 0; i < ids.length; i++) length += bytes.lengthOf(ids[i]!, skip);
  const text = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < ids.length; i++) at += bytes.copy(ids[i]!, skip, text, at);
  return utf8Decoder().decode(text);
}

/** Decodes ids one by one. What push() and end() return, put together, is what decode() makes of all the ids. */
export class StreamDecoder {
  private readonly bytes: TokenBytes;
  private readonly skip: boolean;
  private readonly utf8 = utf8Decoder();

  constructor(vocabulary: Vocabulary, options: DecodeOptions = {}) {
    this.bytes = new TokenBytes(vocabulary);
    this.skip = options.controls === "skip";
  }

  /**
   * The text that is complete with this token; the first bytes of a character are kept until the last one comes.
   * @throws ERR_RANGE for an id that is no token
   */
  push(id: number): string {
    const token = new Uint8Array(this.bytes.lengthOf(id, this.skip));
    this.bytes.copy(id, this.skip, token, 0);
    return this.utf8.decode(token, { stream: true });
  }

  /** What is left: U+FFFD for a character that was never completed. The decoder may then be used again. */
  end(): string {
    return this.utf8.decode();
  }
}

/** The bytes that tokens stand for in a text. */
export class TokenBytes {
  constructor(private readonly vocabulary: Vocabulary) {}

  /** @throws ERR_RANGE for an id that is no token */
  lengthOf(id: number, skipControls: boolean): number {
    const { starts, types, control, size } = this.vocabulary;
    if (!Number.isInteger(id) || id < 0 || id >= size) {
      throw new GemmaError("ERR_RANGE", `decode: id must be 0 to ${size - 1}, got ${id}`);
    }
    if (skipControls && control[id] === 1) return 0;
    return types[id] === TOKEN_TYPE.byte ? 1 : starts[id + 1]! - starts[id]!;
  }

  /** Writes the bytes of a token to out[at..) and returns their number. */
  copy(id: number, skipControls: boolean, out: Uint8Array, at: number): number {
    const { bytes, starts } = this.vocabulary;
    const length = this.lengthOf(id, skipControls);
    if (this.vocabulary.types[id] === TOKEN_TYPE.byte) out[at] = byteValue(bytes, starts[id]!);
    else for (let i = 0, from = starts[id]!; i < length; i++) out[at + i] = bytes[from + i]!;
    return length;
  }
}

/** 10 for the token `<0x0A>` at `start`. */
function byteValue(bytes: Uint8Array, start: number): number {
  const digit = (ascii: number): number => (ascii <= 0x39 ? ascii - 0x30 : ascii - 0x41 + 10);
  return digit(bytes[start + 3]!) * 16 + digit(bytes[start + 4]!);
}

// ignoreBOM keeps U+FEFF as text.
function utf8Decoder(): TextDecoder {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}
