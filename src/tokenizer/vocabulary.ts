import { GemmaError } from "../base/errors.js";
import { GgufStrings } from "../format/gguf-values.js";
import { parseSentencePiece } from "../format/sentencepiece.js";
import { TOKEN_TYPE, type TokenRoles, type TokenTable } from "../format/token-table.js";
import { parseTokenizerJson } from "../format/tokenizer-json.js";
import { type TextTable, TokenIndex } from "./token-index.js";

/** A checked vocabulary, ready for encoding and decoding. */
export interface Vocabulary {
  /** Number of tokens; ids are 0 to size - 1. */
  readonly size: number;
  /** Token i is bytes[starts[i], starts[i + 1]), in UTF-8 with spaces as spaces (files write them as U+2581). */
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array; // [size + 1]
  readonly scores: Float32Array; // [size]
  readonly types: Uint8Array; // [size], TOKEN_TYPE
  /** 1 for tokens that steer the model: those of control type, and turn markers whatever their type. [size] */
  readonly control: Uint8Array;
  readonly index: TokenIndex;
  readonly bosId: number | undefined;
  /** Tokens that end a generation: the end of text and the end of a turn. */
  readonly eosIds: readonly number[];
  readonly unkId: number | undefined;
  readonly padId: number | undefined;
  /** Whether prompts begin with bosId. */
  readonly addBos: boolean;
}

// SentencePiece models call turn markers user-defined, which makes them part of plain text. By name they are control.
const CONTROL_NAMES = [
  "<pad>",
  "<eos>",
  "<bos>",
  "<unk>",
  "<mask>",
  "<start_of_turn>",
  "<end_of_turn>",
  "<start_of_image>",
  "<end_of_image>",
];

const RESERVED_NAME = /^<(?:mask|unused\d+|start_of_turn|end_of_turn)>$/;

/**
 * The vocabulary inside a GGUF file.
 *
 * @param metadata the file's key-value pairs
 * @throws ERR_MISSING_KEY, ERR_INVALID_TYPE, ERR_INVALID_VALUE, ERR_DUPLICATE_NAME; ERR_UNSUPPORTED_OPTION for a
 *   tokenizer that is not SentencePiece's
 */
export function vocabularyFromGguf(metadata: ReadonlyMap<string, unknown>): Vocabulary {
  const key = (name: string) => `tokenizer.ggml.${name}`;
  const model = metadata.get(key("model"));
  if (model !== "llama") {
    throw new GemmaError(
      model === undefined ? "ERR_MISSING_KEY" : "ERR_UNSUPPORTED_OPTION",
      `${key("model")}: must be "llama" (SentencePiece), got ${String(model)}`,
    );
  }
  if (metadata.get(key("add_space_prefix")) === true) {
    throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${key("add_space_prefix")}: must be false for Gemma, got true`);
  }
  const tokens = metadata.get(key("tokens"));
  if (!(tokens instanceof GgufStrings)) throw wrongArray(key("tokens"), "strings", tokens);
  const scores = metadata.get(key("scores"));
  if (!(scores instanceof Float32Array)) throw wrongArray(key("scores"), "f32", scores);
  const types = metadata.get(key("token_type"));
  if (!(types instanceof Int32Array || types instanceof Uint32Array)) throw wrongArray(key("token_type"), "i32", types);

  const size = tokens.length;
  const role = (name: string): number | undefined => {
    const id = metadata.get(key(name));
    if (id === undefined || typeof id === "number") return id;
    throw new GemmaError("ERR_INVALID_TYPE", `${key(name)}: must be a number, got ${typeof id}`);
  };
  const [bosId, eosId] = [role("bos_token_id"), role("eos_token_id")];
  const [unkId, padId] = [role("unknown_token_id"), role("padding_token_id")];
  const table: TokenTable = {
    size,
    bytes: tokens.bytes,
    starts: tokens.starts.subarray(0, size),
    ends: tokens.starts.subarray(1),
    scores,
    types: narrow(types),
  };
  return makeVocabulary(
    table,
    {
      ...(bosId === undefined ? {} : { bosId }),
      ...(eosId === undefined ? {} : { eosId }),
      ...(unkId === undefined ? {} : { unkId }),
      ...(padId === undefined ? {} : { padId }),
    },
    "tokenizer.ggml",
    metadata.get(key("add_bos_token")) !== false,
  );
}

/** Types as bytes; one that does not fit becomes 0, which no token may have. */
function narrow(types: Int32Array | Uint32Array): Uint8Array {
  const bytes = new Uint8Array(types.length);
  for (let id = 0; id < types.length; id++) {
    const type = types[id]!;
    bytes[id] = type >= 0 && type <= 255 ? type : 0;
  }
  return bytes;
}

/** The vocabulary of a SentencePiece `tokenizer.model`. Throws what parseSentencePiece and makeVocabulary throw. */
export function vocabularyFromSentencePiece(bytes: Uint8Array, where = "tokenizer.model"): Vocabulary {
  const model = parseSentencePiece(bytes, where);
  return makeVocabulary(model, model, where);
}

/** The vocabulary of a Hugging Face `tokenizer.json`. Throws what parseTokenizerJson and makeVocabulary throw. */
export function vocabularyFromTokenizerJson(text: string | Uint8Array, where = "tokenizer.json"): Vocabulary {
  const file = parseTokenizerJson(text, where);
  return makeVocabulary(file, file, where);
}

/**
 * Checks a table of tokens and indexes it. A role that `roles` leaves out is found by its usual name (`<bos>`).
 *
 * @throws ERR_INVALID_VALUE for lengths that differ, an empty token, a score that is not finite, an unknown type, a byte token
 *   that does not name a byte, byte tokens for some bytes only, or a role outside the table
 * @throws ERR_DUPLICATE_NAME when two tokens have the same text
 * @throws ERR_MISSING_KEY when nothing stands for characters without a token
 */
export function makeVocabulary(table: TokenTable, roles: TokenRoles, where: string, addBos = true): Vocabulary {
  checkLengths(table, where);
  const texts = withSpaces(table, where);
  checkTypesAndScores(table, where);
  const index = new TokenIndex(texts, where);
  checkByteTokens(table, index, where);
  const types = withControlTypes(table.types, texts, index);

  const role = (id: number | undefined, name: string): number | undefined => {
    if (id === undefined) {
      const found = index.findText(name);
      return found < 0 ? undefined : found;
    }
    if (Number.isInteger(id) && id >= 0 && id < table.size) return id;
    throw new GemmaError("ERR_INVALID_VALUE", `${where}: id of ${name} must be 0 to ${table.size - 1}, got ${id}`);
  };
  const bosId = role(roles.bosId, "<bos>");
  const unkId = role(roles.unkId, "<unk>");
  if (unkId === undefined && !types.includes(TOKEN_TYPE.byte)) {
    throw new GemmaError("ERR_MISSING_KEY", `${where}: must have byte tokens or an unknown token, got neither`);
  }
  const ends = [role(roles.eosId, "<eos>"), role(undefined, "<end_of_turn>")];
  return {
    size: table.size,
    ...texts,
    scores: table.scores,
    types,
    control: controlTokens(types, index),
    index,
    bosId,
    eosIds: [...new Set(ends.filter((id) => id !== undefined))],
    unkId,
    padId: role(roles.padId, "<pad>"),
    addBos: addBos && bosId !== undefined,
  };
}

/** 1 for each token that steers the model. */
function controlTokens(types: Uint8Array, index: TokenIndex): Uint8Array {
  const control = new Uint8Array(types.length);
  for (let id = 0; id < types.length; id++) {
    if (types[id] === TOKEN_TYPE.control || types[id] === TOKEN_TYPE.unknown) control[id] = 1;
  }
  for (const name of CONTROL_NAMES) {
    const id = index.findText(name);
    if (id >= 0) control[id] = 1;
  }
  return control;
}

/**
 * Corrects the types of control tokens, of which files of the same vocabulary tell different things. A control token
 * that counts as normal (some exported GGUF files) must not be made by merging. Where `<unused0>` is user-defined, as
 * in Hugging Face's tokenizer.json, the reserved tokens become control tokens, as llama.cpp's converter makes them.
 */
function withControlTypes(types: Uint8Array, texts: TextTable, index: TokenIndex): Uint8Array {
  const changed = types.slice();
  for (const name of CONTROL_NAMES) {
    const id = index.findText(name);
    if (id >= 0 && types[id] === TOKEN_TYPE.normal) changed[id] = TOKEN_TYPE.control;
  }
  if (types[index.findText("<unused0>")] !== TOKEN_TYPE.userDefined) return changed;
  const decoder = new TextDecoder();
  for (let id = 0; id < types.length; id++) {
    if (types[id] !== TOKEN_TYPE.userDefined) continue;
    const name = decoder.decode(texts.bytes.subarray(texts.starts[id], texts.starts[id + 1]));
    if (RESERVED_NAME.test(name)) changed[id] = TOKEN_TYPE.control;
  }
  return changed;
}

function checkLengths(table: TokenTable, where: string): void {
  const { size } = table;
  for (const [name, array] of Object.entries({ scores: table.scores, types: table.types })) {
    if (array.length !== size) {
      throw new GemmaError("ERR_INVALID_VALUE", `${where}: ${name} must be ${size}, one a token, got ${array.length}`);
    }
  }
  if (size === 0) throw new GemmaError("ERR_INVALID_VALUE", `${where}: must have tokens, got none`);
}

/** The texts end to end, U+2581 (E2 96 81) as a space. */
function withSpaces(table: TokenTable, where: string): TextTable {
  const { size, bytes: source } = table;
  let length = 0;
  for (let id = 0; id < size; id++) length += table.ends[id]! - table.starts[id]!;
  const bytes = new Uint8Array(length);
  const starts = new Uint32Array(size + 1);
  let at = 0;
  for (let id = 0; id < size; id++) {
    const end = table.ends[id]!;
    for (let i = table.starts[id]!; i < end; i++) {
      const byte = source[i]!;
      if (byte === 0xe2 && i + 2 < end && source[i + 1] === 0x96 && source[i + 2] === 0x81) {
        bytes[at++] = 0x20;
        i += 2;
      } else bytes[at++] = byte;
    }
    if (at === starts[id]) throw new GemmaError("ERR_INVALID_VALUE", `${where}: token ${id} must have text, got none`);
    starts[id + 1] = at;
  }
  return { bytes: bytes.subarray(0, at), starts };
}

function checkTypesAndScores(table: TokenTable, where: string): void {
  for (let id = 0; id < table.size; id++) {
    const type = table.types[id]!;
    if (type < TOKEN_TYPE.normal || type > TOKEN_TYPE.byte) {
      throw new GemmaError("ERR_INVALID_VALUE", `${where}: type of token ${id} must be 1 to 6, got ${type}`);
    }
    if (!Number.isFinite(table.scores[id])) {
      throw new GemmaError(
        "ERR_INVALID_VALUE",
        `${where}: score of token ${id} must be finite, got ${table.scores[id]}`,
      );
    }
  }
}

function checkByteTokens(table: TokenTable, index: TokenIndex, where: string): void {
  let count = 0;
  for (let id = 0; id < table.size; id++) if (table.types[id] === TOKEN_TYPE.byte) count++;
  if (count === 0) return;
  for (let byte = 0; byte < 256; byte++) {
    const id = index.findText(byteTokenName(byte));
    if (id >= 0 && table.types[id] === TOKEN_TYPE.byte) count--;
    else
      throw new GemmaError(
        "ERR_INVALID_VALUE",
        `${where}: byte tokens must cover all bytes, got no ${byteTokenName(byte)}`,
      );
  }
  if (count > 0) {
    throw new GemmaError(
      "ERR_INVALID_VALUE",
      `${where}: byte tokens must be named <0x00> to <0xFF>, got ${count} others`,
    );
  }
}

/** `<0x0A>` for 10. */
export function byteTokenName(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

function wrongArray(key: string, of: string, got: unknown): GemmaError {
  const code = got === undefined ? "ERR_MISSING_KEY" : "ERR_INVALID_TYPE";
  return new GemmaError(
    code,
    `${key}: must be an array of ${of}, got ${got === undefined ? "no such key" : describe(got)}`,
  );
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null ? (value.constructor?.name ?? "an object") : typeof value;
}
