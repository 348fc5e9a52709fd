import { GemmaError } from "../base/errors.js";
import { inOneGo, type Slices } from "../base/slices.js";
import { type DecodeOptions, decode, StreamDecoder, TokenBytes } from "./decode.js";
import { Encoder } from "./encode.js";
import type { Vocabulary } from "./vocabulary.js";

export interface EncodeOptions {
  /** Whether control tokens written in the text (`<start_of_turn>`) become their ids. Default false: they are text. */
  readonly specials?: boolean;
}

/** Gemma's tokenizer: text to ids and back. */
export class Tokenizer {
  private encoder: Encoder | undefined;

  private constructor(readonly vocabulary: Vocabulary) {}

  static fromVocabulary(vocabulary: Vocabulary): Tokenizer {
    return new Tokenizer(vocabulary);
  }

  /** Number of tokens. */
  get size(): number {
    return this.vocabulary.size;
  }

  get bosId(): number | undefined {
    return this.vocabulary.bosId;
  }

  /** Tokens that end a generation: the end of text and the end of a turn. */
  get eosIds(): readonly number[] {
    return this.vocabulary.eosIds;
  }

  /**
   * The ids of a text, without BOS; lone surrogates count as U+FFFD.
   *
   * Without `specials` these are SentencePiece's ids. A few vocabularies declare turn markers as user-defined, that is,
   * as text: where the text comes from somebody else, use encodeUntrusted or encodePrompt.
   */
  encode(text: string, options: EncodeOptions = {}): Int32Array<ArrayBuffer> {
    return inOneGo(this.encodeSlices(text, options));
  }

  /** encode with places to pause: a megabyte takes a quarter of a second. */
  encodeSlices(text: string, options: EncodeOptions = {}): Slices<Int32Array<ArrayBuffer>> {
    return this.ready().slices(text, options.specials === true ? "specials" : "plain");
  }

  /** Like encode, and for every vocabulary without the id of any control token or turn marker. */
  encodeUntrusted(text: string): Int32Array<ArrayBuffer> {
    return inOneGo(this.encodeUntrustedSlices(text));
  }

  /** encodeUntrusted with places to pause. */
  encodeUntrustedSlices(text: string): Slices<Int32Array<ArrayBuffer>> {
    return this.ready().slices(text, "untrusted");
  }

  /** The text of ids. @throws ERR_RANGE for an id that is no token */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string {
    return decode(this.vocabulary, ids, options);
  }

  /** Decodes ids as they come, in whole characters. */
  streamDecoder(options?: DecodeOptions): StreamDecoder {
    return new StreamDecoder(this.vocabulary, options);
  }

  /**
   * The id of a control token by its name (ids differ between generations): `controlId("<start_of_turn>")`.
   * @throws ERR_MISSING_KEY when the vocabulary has no such control token
   */
  controlId(name: string): number {
    const id = this.vocabulary.index.findText(name);
    if (id >= 0 && this.isControl(id)) return id;
    throw new GemmaError(
      "ERR_MISSING_KEY",
      `vocabulary: control token ${JSON.stringify(name)} must exist, got no such token`,
    );
  }

  /** Whether a token steers the model instead of standing for text. False for ids that are no token. */
  isControl(id: number): boolean {
    return this.vocabulary.control[id] === 1;
  }

  /** The bytes that a token stands for, maybe only a part of a character. @throws ERR_RANGE */
  tokenBytes(id: number): Uint8Array<ArrayBuffer> {
    const tokens = new TokenBytes(this.vocabulary);
    const bytes = new Uint8Array(tokens.lengthOf(id, false));
    tokens.copy(id, false, bytes, 0);
    return bytes;
  }

  /** A token as text; U+FFFD for a part of a character. @throws ERR_RANGE */
  tokenText(id: number): string {
    return this.decode([id]);
  }

  /** The encoder is built by the first use: decoding does not need it. */
  private ready(): Encoder {
    this.encoder ??= new Encoder(this.vocabulary);
    return this.encoder;
  }
}
