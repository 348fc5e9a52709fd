/** What a token is, by the numbers that SentencePiece models and GGUF share. */
export const TOKEN_TYPE = {
  /** Made by merging. */
  normal: 1,
  /** Stands for text that has no token. */
  unknown: 2,
  /** `<bos>` and the like: never made from text. */
  control: 3,
  /** Matched as a whole wherever it is written, before any merging. */
  userDefined: 4,
  /** Never made. */
  unused: 5,
  /** `<0x0A>`: one byte of a character that has no token of its own. */
  byte: 6,
} as const;

/** More tokens than any model has rows: beyond it a small file would only make us allocate. */
export const MAX_TOKENS = 1 << 21;

/** A vocabulary as a file stores it: token i is the UTF-8 text bytes[starts[i], ends[i]). */
export interface TokenTable {
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array; // [size]
  readonly ends: Uint32Array; //   [size]
  /** Merges are made in the order of falling scores. */
  readonly scores: Float32Array; // [size]
  readonly types: Uint8Array; //    [size], TOKEN_TYPE
}

/** Ids of the tokens with a role, as far as the file tells them. */
export interface TokenRoles {
  readonly bosId?: number;
  readonly eosId?: number;
  readonly unkId?: number;
  readonly padId?: number;
}
