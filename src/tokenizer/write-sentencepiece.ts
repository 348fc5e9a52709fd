import { GemmaError } from "../base/errors.js";
import type { Vocabulary } from "./vocabulary.js";

// Field numbers of google/sentencepiece, src/sentencepiece_model.proto (v0.2).
const MODEL = { pieces: 1, trainerSpec: 2, normalizerSpec: 3 };
const PIECE = { piece: 1, score: 2, type: 3 };
const TRAINER = { modelType: 3, vocabSize: 4, byteFallback: 35, unkId: 40, bosId: 41, eosId: 42, padId: 43 };
const PIECES = { unk: 45, bos: 46, eos: 47, pad: 48 };
const NORMALIZER = { name: 1, addDummyPrefix: 3, removeExtraWhitespaces: 4, escapeWhitespaces: 5 };
const BPE = 2;

/** The tokens' texts as files write them: spaces are U+2581. */
export function pieceTexts({ size, bytes, starts }: Vocabulary): string[] {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // U+FEFF is a token
  return Array.from({ length: size }, (_, id) =>
    decoder.decode(bytes.subarray(starts[id], starts[id + 1])).replaceAll(" ", "\u2581"),
  );
}

/**
 * A vocabulary as a SentencePiece model (`tokenizer.model`). It has what encoding and decoding need, nothing of how the
 * vocabulary was trained.
 * @throws ERR_MISSING_KEY without an unknown token, which such a file must have
 */
export function sentencePieceBytes(vocabulary: Vocabulary): Uint8Array {
  const { size, scores, types, bosId, eosIds, unkId, padId } = vocabulary;
  if (unkId === undefined) {
    throw new GemmaError("ERR_MISSING_KEY", "tokenizer.model: must have an unknown token, got none");
  }
  const texts = pieceTexts(vocabulary);
  const out = new Message(vocabulary.bytes.length + size * 16);
  for (let id = 0; id < size; id++) {
    const piece = new Message(64);
    piece.text(PIECE.piece, texts[id]!);
    piece.float(PIECE.score, scores[id]!);
    piece.varint(PIECE.type, types[id]!);
    out.message(MODEL.pieces, piece);
  }
  const trainer = new Message(64);
  trainer.varint(TRAINER.modelType, BPE);
  trainer.varint(TRAINER.vocabSize, size);
  trainer.varint(TRAINER.byteFallback, 1);
  const roles = { unk: unkId, bos: bosId ?? -1, eos: eosIds[0] ?? -1, pad: padId ?? -1 };
  for (const role of ["unk", "bos", "eos", "pad"] as const) trainer.varint(TRAINER[`${role}Id`], roles[role]);
  for (const role of ["unk", "bos", "eos", "pad"] as const) {
    if (roles[role] >= 0) trainer.text(PIECES[role], texts[roles[role]]!);
  }
  out.message(MODEL.trainerSpec, trainer);
  const normalizer = new Message(32);
  normalizer.text(NORMALIZER.name, "identity");
  normalizer.varint(NORMALIZER.addDummyPrefix, 0);
  normalizer.varint(NORMALIZER.removeExtraWhitespaces, 0);
  normalizer.varint(NORMALIZER.escapeWhitespaces, 1);
  out.message(MODEL.normalizerSpec, normalizer);
  return out.bytes();
}

/** A protobuf message that grows. */
class Message {
  private buffer: Uint8Array<ArrayBuffer>;
  private length = 0;
  private static readonly encoder = new TextEncoder();

  constructor(guessBytes: number) {
    this.buffer = new Uint8Array(guessBytes);
  }

  /** An int32 or bool. Negative numbers are written as 64 bits, as protobuf does. */
  varint(field: number, value: number): void {
    this.number(BigInt(field * 8));
    this.number(BigInt.asUintN(64, BigInt(value)));
  }

  float(field: number, value: number): void {
    this.number(BigInt(field * 8 + 5));
    this.push(new Uint8Array(Float32Array.of(value).buffer));
  }

  text(field: number, value: string): void {
    this.field(field, Message.encoder.encode(value));
  }

  message(field: number, value: Message): void {
    this.field(field, value.bytes());
  }

  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  private field(field: number, value: Uint8Array): void {
    this.number(BigInt(field * 8 + 2));
    this.number(BigInt(value.length));
    this.push(value);
  }

  private number(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    this.push(Uint8Array.of(...bytes, Number(rest)));
  }

  private push(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(2 * this.buffer.length, this.length + bytes.length));
      larger.set(this.bytes());
      this.buffer = larger;
    }
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }
}
