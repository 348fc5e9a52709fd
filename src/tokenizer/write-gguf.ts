import { GemmaError } from "../base/errors.js";
import type { GgufWritable } from "../format/gguf-write.js";
import { u32 } from "../format/gguf-write.js";
import { TOKEN_TYPE } from "../format/token-table.js";
import type { Vocabulary } from "./vocabulary.js";
import { pieceTexts } from "./write-sentencepiece.js";

const UNLIKELY = -10_000; // a score that no merge prefers; llama.cpp's converter has the same

/**
 * A vocabulary as GGUF metadata. The embedding may have more rows than the vocabulary has tokens: the rest are `[PAD7]`.
 * @param rows of the embedding
 * @throws ERR_UNSUPPORTED_OPTION for more tokens than rows: llama.cpp reads none of those
 */
export function ggufTokenizer(
  vocabulary: Vocabulary,
  rows: number,
  chatTemplate: string | null,
): [key: string, value: GgufWritable][] {
  const { size, bosId, eosIds, unkId, padId, addBos } = vocabulary;
  if (size > rows) {
    throw new GemmaError(
      "ERR_UNSUPPORTED_OPTION",
      `tokenizer: must have at most a token for each of the embedding's ${rows} rows, got ${size}`,
    );
  }
  const texts = pieceTexts(vocabulary);
  const scores = new Float32Array(rows).fill(UNLIKELY);
  scores.set(vocabulary.scores);
  const types = new Int32Array(rows).fill(TOKEN_TYPE.unused);
  types.set(vocabulary.types);
  for (let id = size; id < rows; id++) texts.push(`[PAD${id}]`);
  const role = (name: string, id: number | undefined): [string, GgufWritable][] =>
    id === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, u32(id)]];
  return [
    ["tokenizer.ggml.model", "llama"],
    ["tokenizer.ggml.pre", "default"],
    ["tokenizer.ggml.tokens", texts],
    ["tokenizer.ggml.scores", scores],
    ["tokenizer.ggml.token_type", types],
    ...role("bos", bosId),
    ...role("eos", eosIds[0]),
    ...role("eot", eosIds[1]),
    ...role("unknown", unkId),
    ...role("padding", padId),
    ["tokenizer.ggml.add_bos_token", addBos],
    ["tokenizer.ggml.add_eos_token", false],
    ["tokenizer.ggml.add_space_prefix", false],
    ...(chatTemplate === null ? [] : [["tokenizer.chat_template", chatTemplate] as [string, GgufWritable]]),
  ];
}
