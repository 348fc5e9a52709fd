import { readFileSync } from "node:fs";
import { GgufStrings } from "../src/format/gguf-values.js";
import type { Vocabulary } from "../src/tokenizer/vocabulary.js";
import {
  vocabularyFromGguf,
  vocabularyFromSentencePiece,
  vocabularyFromTokenizerJson,
} from "../src/tokenizer/vocabulary.js";

const folder = new URL("fixtures/tokenizer/", import.meta.url);

/** A file of test/fixtures/tokenizer. */
export function tokenizerFixture(name: string): Uint8Array {
  return readFileSync(new URL(name, folder));
}

/** The lines of a JSONL file of test/fixtures/tokenizer. */
export function tokenizerLines<T>(name: string): readonly T[] {
  return new TextDecoder()
    .decode(tokenizerFixture(name))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

/** The metadata that a GGUF file with these tokens would have. */
export function ggufMetadata(
  tokens: readonly string[],
  scores: readonly number[],
  types: readonly number[],
): Map<string, unknown> {
  const encoded = tokens.map((token) => new TextEncoder().encode(token));
  const starts = new Uint32Array(tokens.length + 1);
  for (const [i, bytes] of encoded.entries()) starts[i + 1] = starts[i]! + bytes.length;
  return new Map<string, unknown>([
    ["tokenizer.ggml.model", "llama"],
    ["tokenizer.ggml.tokens", new GgufStrings(new Uint8Array(Buffer.concat(encoded)), starts)],
    ["tokenizer.ggml.scores", Float32Array.from(scores)],
    ["tokenizer.ggml.token_type", Int32Array.from(types)],
  ]);
}

/** The tiny vocabulary, read from each of its three forms. */
export const tinyVocabularies: Readonly<Record<"tokenizer.model" | "tokenizer.json" | "gguf", () => Vocabulary>> = {
  "tokenizer.model": () => vocabularyFromSentencePiece(tokenizerFixture("tiny-spm/tokenizer.model")),
  "tokenizer.json": () => vocabularyFromTokenizerJson(tokenizerFixture("tiny-spm/tokenizer.json")),
  gguf: () => {
    const arrays = JSON.parse(new TextDecoder().decode(tokenizerFixture("tiny-spm/vocab.json")));
    return vocabularyFromGguf(ggufMetadata(arrays.tokens, arrays.scores, arrays.types));
  },
};
