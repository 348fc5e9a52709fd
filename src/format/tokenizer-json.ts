import { GemmaError } from "../base/errors.js";
import { type JsonObject, type JsonValue, parseJson } from "./json.js";
import { describeJson, expectArray, expectObject, getArray, getInteger, getObject, getString } from "./json-read.js";
import { MAX_TOKENS, TOKEN_TYPE, type TokenRoles, type TokenTable } from "./token-table.js";

/** A Hugging Face tokenizer.json in the form of the other vocabularies. */
export interface TokenizerJson extends TokenTable, TokenRoles {}

const BYTE_TOKEN = /^<0x[0-9A-F]{2}>$/;

/**
 * Reads a Hugging Face `tokenizer.json` of Gemma's kind: BPE whose merges are all the ways to split its tokens, as
 * the conversion from SentencePiece writes them. The score of a token is minus the rank of its first merge, so that
 * merging by falling scores does what the list of merges does.
 *
 * Added tokens are control tokens where the file calls them special, user-defined otherwise.
 *
 * @param text  the file: a string, or bytes in UTF-8
 * @param where begins every message: `tokenizer.json`
 * @throws ERR_INVALID_JSON, ERR_MISSING_KEY, ERR_INVALID_TYPE, ERR_INVALID_VALUE, ERR_DUPLICATE_NAME (an id twice),
 *   ERR_LIMIT_EXCEEDED (an absurd id), ERR_UNSUPPORTED_OPTION (another algorithm, or text rewritten before encoding)
 */
export function parseTokenizerJson(text: string | Uint8Array, where: string): TokenizerJson {
  const file = expectObject(parseJson(text, where), where);
  const model = getObject(file, "model", where);
  checkOptions(file, model, where);

  const ids = readVocabulary(getObject(model, "vocab", where), `${where}: model.vocab`);
  const added = readAddedTokens(file, ids, where);
  const texts = textsById(ids, where);
  const types = new Uint8Array(texts.length).fill(TOKEN_TYPE.unused);
  const scores = new Float32Array(texts.length);

  const byteFallback = model.get("byte_fallback") === true;
  for (const [id, token] of texts.entries()) {
    if (byteFallback && BYTE_TOKEN.test(token)) types[id] = TOKEN_TYPE.byte;
    else if (isOneCharacter(token)) types[id] = TOKEN_TYPE.normal;
  }
  // A longer token is made by its merges or not at all.
  for (const [rank, merge] of getArray(model, "merges", where).entries()) {
    const id = mergeResult(merge, rank, ids, where);
    if (types[id] === TOKEN_TYPE.normal) continue;
    types[id] = TOKEN_TYPE.normal;
    scores[id] = -rank;
  }
  for (const [id, special] of added) types[id] = special ? TOKEN_TYPE.control : TOKEN_TYPE.userDefined;

  const unkId = unknownToken(model, ids, where);
  if (unkId !== undefined) types[unkId] = TOKEN_TYPE.unknown;
  return { ...pack(texts), scores, types, ...(unkId === undefined ? {} : { unkId }) };
}

/** Refuses what would make other ids than Gemma's tokenizer does. */
function checkOptions(file: JsonObject, model: JsonObject, where: string): void {
  const refuse = (what: string, got: JsonValue | undefined): never => {
    throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: ${what}, got ${describeJson(got)}`);
  };
  if (model.get("type") !== "BPE") refuse("model.type must be BPE", model.get("type"));
  for (const key of ["dropout", "continuing_subword_prefix", "end_of_word_suffix", "ignore_merges"]) {
    const value = model.get(key) ?? null;
    if (value !== null && value !== false && value !== "" && value !== 0) refuse(`model.${key} must be off`, value);
  }
  const normalizer = file.get("normalizer") ?? null;
  if (normalizer !== null && !replacesSpaces(normalizer)) {
    refuse("normalizer must only write spaces as U+2581", describeType(normalizer));
  }
  // With spaces replaced, a split at spaces never finds one.
  const split = file.get("pre_tokenizer") ?? null;
  if (split !== null && !(split instanceof Map && split.get("type") === "Split" && patternOf(split) === " ")) {
    refuse("pre_tokenizer must be absent or a split at spaces", describeType(split));
  }
}

function replacesSpaces(normalizer: JsonValue): boolean {
  if (!(normalizer instanceof Map)) return false;
  if (normalizer.get("type") === "Sequence") {
    const steps = normalizer.get("normalizers");
    return Array.isArray(steps) && steps.length === 1 && replacesSpaces(steps[0]);
  }
  const spaces = patternOf(normalizer) === " " && normalizer.get("content") === "\u2581";
  return normalizer.get("type") === "Replace" && spaces;
}

function patternOf(step: JsonObject): JsonValue | undefined {
  const pattern = step.get("pattern");
  return pattern instanceof Map ? pattern.get("String") : undefined;
}

function describeType(step: JsonValue): JsonValue {
  return step instanceof Map ? (step.get("type") ?? null) : step;
}

function readVocabulary(vocab: JsonObject, where: string): Map<string, number> {
  const ids = new Map<string, number>();
  for (const token of vocab.keys()) ids.set(token, checkId(getInteger(vocab, token, where), where));
  return ids;
}

/** Adds the added tokens to `ids`; returns whether each is special. */
function readAddedTokens(file: JsonObject, ids: Map<string, number>, where: string): Map<number, boolean> {
  const added = new Map<number, boolean>();
  const list = file.get("added_tokens") ?? null;
  if (list === null) return added;
  for (const [i, entry] of expectArray(list, `${where}: added_tokens`).entries()) {
    const here = `${where}: added_tokens[${i}]`;
    const token = expectObject(entry, here);
    const id = checkId(getInteger(token, "id", here), here);
    const content = getString(token, "content", here);
    const known = ids.get(content);
    if ((known !== undefined && known !== id) || added.has(id)) {
      throw new GemmaError(
        "ERR_DUPLICATE_NAME",
        `${here}: a token must have one id, got ${JSON.stringify(content)} again`,
      );
    }
    ids.set(content, id);
    added.set(id, token.get("special") === true);
  }
  return added;
}

function checkId(id: number, where: string): number {
  if (id >= 0 && id < MAX_TOKENS) return id;
  const code = id < 0 ? "ERR_INVALID_VALUE" : "ERR_LIMIT_EXCEEDED";
  throw new GemmaError(code, `${where}: an id must be 0 to ${MAX_TOKENS - 1}, got ${id}`);
}

function textsById(ids: ReadonlyMap<string, number>, where: string): string[] {
  const texts: string[] = [];
  let highest = -1;
  for (const id of ids.values()) highest = Math.max(highest, id);
  const seen = new Uint8Array(highest + 1);
  for (const [token, id] of ids) {
    if (seen[id] === 1) {
      throw new GemmaError("ERR_DUPLICATE_NAME", `${where}: an id must belong to one token, got ${id} twice`);
    }
    seen[id] = 1;
    texts[id] = token;
  }
  const hole = seen.indexOf(0);
  if (hole >= 0) throw new GemmaError("ERR_INVALID_VALUE", `${where}: ids must be consecutive, got no token ${hole}`);
  return texts;
}

/** The id of the token that a merge makes: `["a", "b"]`, or `"a b"` in older files. */
function mergeResult(merge: JsonValue, rank: number, ids: ReadonlyMap<string, number>, where: string): number {
  const parts = typeof merge === "string" ? merge.split(" ") : merge;
  if (!Array.isArray(parts) || parts.length !== 2) {
    throw new GemmaError("ERR_INVALID_TYPE", `${where}: merge ${rank}: must be two tokens, got ${describeJson(merge)}`);
  }
  const [left, right]: JsonValue[] = parts;
  if (typeof left !== "string" || typeof right !== "string") {
    throw new GemmaError(
      "ERR_INVALID_TYPE",
      `${where}: merge ${rank}: must be two strings, got ${describeJson(merge)}`,
    );
  }
  const id = ids.get(left + right);
  if (id === undefined || !ids.has(left) || !ids.has(right)) {
    throw new GemmaError(
      "ERR_INVALID_VALUE",
      `${where}: merge ${rank}: parts and result must be tokens, got ${describeJson([left, right])}`,
    );
  }
  return id;
}

function unknownToken(model: JsonObject, ids: ReadonlyMap<string, number>, where: string): number | undefined {
  const name = model.get("unk_token") ?? null;
  if (name === null) return undefined;
  const id = typeof name === "string" ? ids.get(name) : undefined;
  if (id !== undefined) return id;
  throw new GemmaError("ERR_INVALID_VALUE", `${where}: model.unk_token must be a token, got ${describeJson(name)}`);
}

function isOneCharacter(token: string): boolean {
  return token.length > 0 && token.length === (token.codePointAt(0)! > 0xffff ? 2 : 1);
}

function pack(texts: readonly string[]): Pick<TokenTable, "size" | "bytes" | "starts" | "ends"> {
  const starts = new Uint32Array(texts.length);
  const ends = new Uint32Array(texts.length);
  let units = 0;
  for (const text of texts) units += text.length;
  const bytes = new Uint8Array(units * 3); // a UTF-16 unit takes at most three bytes
  const encoder = new TextEncoder();
  let at = 0;
  for (const [id, text] of texts.entries()) {
    starts[id] = at;
    at += encoder.encodeInto(text, bytes.subarray(at)).written;
    ends[id] = at;
  }
  return { size: texts.length, bytes: bytes.slice(0, at), starts, ends };
}
