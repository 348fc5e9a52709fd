import { GemmaError } from "../base/errors.js";
import { type ProtobufField, protobufFields } from "./protobuf.js";
import { MAX_TOKENS, TOKEN_TYPE, type TokenRoles, type TokenTable } from "./token-table.js";

// Field numbers of google/sentencepiece, src/sentencepiece_model.proto (v0.2).
const MODEL = { pieces: 1, trainerSpec: 2, normalizerSpec: 3 };
const PIECE = { piece: 1, score: 2, type: 3 };
const TRAINER = { modelType: 3, unkId: 40, bosId: 41, eosId: 42, padId: 43 };
const NORMALIZER = { charsMap: 2, addDummyPrefix: 3, removeExtraWhitespaces: 4, escapeWhitespaces: 5 };
const BPE = 2;

/** A SentencePiece model: its tokens and the ids with a role. */
export interface SentencePieceModel extends TokenTable, TokenRoles {}

/**
 * Reads a SentencePiece model (`tokenizer.model`). Tokens are ranges of `bytes`, nothing is copied.
 *
 * @param where begins every message: `tokenizer.model`
 * @throws ERR_TRUNCATED, ERR_INVALID_HEADER when the bytes are not such a message; ERR_MISSING_KEY without tokens or
 *   settings; ERR_INVALID_VALUE for a token type that does not exist; ERR_LIMIT_EXCEEDED for an absurd number of tokens;
 *   ERR_UNSUPPORTED_OPTION for a model that is not BPE, or that rewrites the text before it encodes it
 */
export function parseSentencePiece(bytes: Uint8Array, where: string): SentencePieceModel {
  const starts: number[] = [];
  const ends: number[] = [];
  const scores: number[] = [];
  const types: number[] = [];
  let trainer: TrainerSpec | undefined;
  let normalizerSeen = false;
  const float = new DataView(new ArrayBuffer(4));

  for (const field of protobufFields(bytes, 0, bytes.length, where)) {
    if (field.number === MODEL.pieces) {
      expectWire(field, "bytes", where);
      let start = field.start;
      let end = field.start;
      let score = 0;
      let type: number = TOKEN_TYPE.normal;
      for (const part of protobufFields(bytes, field.start, field.end, where)) {
        if (part.number === PIECE.piece) {
          expectWire(part, "bytes", where);
          ({ start, end } = part);
        } else if (part.number === PIECE.score) {
          expectWire(part, "fixed32", where);
          float.setUint32(0, part.value);
          score = float.getFloat32(0);
        } else if (part.number === PIECE.type) {
          expectWire(part, "varint", where);
          type = part.value;
        }
      }
      if (type < TOKEN_TYPE.normal || type > TOKEN_TYPE.byte) {
        throw new GemmaError(
          "ERR_INVALID_VALUE",
          `${where}: type of token ${types.length} must be 1 to 6, got ${type}`,
        );
      }
      if (types.length === MAX_TOKENS) {
        throw new GemmaError("ERR_LIMIT_EXCEEDED", `${where}: must hold at most ${MAX_TOKENS} tokens, got more`);
      }
      starts.push(start);
      ends.push(end);
      scores.push(score);
      types.push(type);
    } else if (field.number === MODEL.trainerSpec) {
      expectWire(field, "bytes", where);
      trainer = readTrainer(bytes, field, where);
    } else if (field.number === MODEL.normalizerSpec) {
      expectWire(field, "bytes", where);
      checkNormalizer(bytes, field, where);
      normalizerSeen = true;
    }
  }
  if (types.length === 0) throw new GemmaError("ERR_MISSING_KEY", `${where}: must hold tokens, got none`);
  if (trainer === undefined || !normalizerSeen) {
    throw new GemmaError("ERR_MISSING_KEY", `${where}: must hold a trainer_spec and a normalizer_spec, got none`);
  }
  return {
    size: types.length,
    bytes,
    starts: Uint32Array.from(starts),
    ends: Uint32Array.from(ends),
    scores: Float32Array.from(scores),
    types: Uint8Array.from(types),
    ...trainer,
  };
}

type TrainerSpec = Required<Pick<TokenRoles, "unkId">> & TokenRoles;

function readTrainer(bytes: Uint8Array, spec: ProtobufField, where: string): TrainerSpec {
  // Defaults of the proto: a missing field means these.
  let modelType = 1;
  const ids = new Map<number, number>([
    [TRAINER.unkId, 0],
    [TRAINER.bosId, 1],
    [TRAINER.eosId, 2],
    [TRAINER.padId, -1],
  ]);
  for (const field of protobufFields(bytes, spec.start, spec.end, where)) {
    if (field.number !== TRAINER.modelType && !ids.has(field.number)) continue;
    expectWire(field, "varint", where);
    // int32: a negative number, "there is no such token", is stored as 2^64 minus its size.
    if (field.number === TRAINER.modelType) modelType = field.value;
    else ids.set(field.number, field.value >= 2 ** 63 ? -1 : field.value);
  }
  if (modelType !== BPE) {
    throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: model_type must be 2 (BPE), got ${modelType}`);
  }
  const unkId = ids.get(TRAINER.unkId)!;
  const [bosId, eosId, padId] = [TRAINER.bosId, TRAINER.eosId, TRAINER.padId].map((role) => ids.get(role)!);
  return {
    unkId,
    ...(bosId! < 0 ? {} : { bosId: bosId! }),
    ...(eosId! < 0 ? {} : { eosId: eosId! }),
    ...(padId! < 0 ? {} : { padId: padId! }),
  };
}

/** Gemma encodes the text as it is. A model that rewrites it first would give other ids than its own tokenizer. */
function checkNormalizer(bytes: Uint8Array, spec: ProtobufField, where: string): void {
  const flags = new Map<number, number>([
    [NORMALIZER.addDummyPrefix, 1],
    [NORMALIZER.removeExtraWhitespaces, 1],
    [NORMALIZER.escapeWhitespaces, 1],
  ]);
  for (const field of protobufFields(bytes, spec.start, spec.end, where)) {
    if (field.number === NORMALIZER.charsMap && field.end > field.start) {
      throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: the text must not be normalised, got a character map`);
    }
    if (flags.has(field.number)) {
      expectWire(field, "varint", where);
      flags.set(field.number, field.value);
    }
  }
  const wanted = [
    ["add_dummy_prefix", NORMALIZER.addDummyPrefix, 0],
    ["remove_extra_whitespaces", NORMALIZER.removeExtraWhitespaces, 0],
    ["escape_whitespaces", NORMALIZER.escapeWhitespaces, 1],
  ] as const;
  for (const [name, number, value] of wanted) {
    if (flags.get(number) !== value) {
      throw new GemmaError(
        "ERR_UNSUPPORTED_OPTION",
        `${where}: ${name} must be ${value === 1}, got ${flags.get(number) !== 0}`,
      );
    }
  }
}

function expectWire(field: ProtobufField, wire: ProtobufField["wire"], where: string): void {
  if (field.wire !== wire) {
    throw new GemmaError(
      "ERR_INVALID_HEADER",
      `${where}: field ${field.number} before byte ${field.end} must be a ${wire}, got a ${field.wire}`,
    );
  }
}
