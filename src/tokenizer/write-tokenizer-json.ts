import { TOKEN_TYPE } from "../format/token-table.js";
import type { Vocabulary } from "./vocabulary.js";
import { pieceTexts } from "./write-sentencepiece.js";

const SPACE = "\u2581";

/**
 * A vocabulary as Hugging Face's tokenizer.json, in slices: what transformers makes of Gemma's SentencePiece model. Its
 * merges are all the ways to split a token in two, those of higher scores first.
 */
export function* tokenizerJson(vocabulary: Vocabulary): Generator<string, void> {
  const { types, unkId, bosId } = vocabulary;
  const texts = pieceTexts(vocabulary);
  const spaces = { String: " " };
  const added: object[] = [];
  for (const [id, content] of texts.entries()) {
    const isPlain = types[id] === TOKEN_TYPE.normal || types[id] === TOKEN_TYPE.byte || types[id] === TOKEN_TYPE.unused;
    if (isPlain) continue;
    const special = types[id] === TOKEN_TYPE.control || types[id] === TOKEN_TYPE.unknown;
    const normalized = content.includes(SPACE); // to be found where spaces have become U+2581
    added.push({ id, content, single_word: false, lstrip: false, rstrip: false, normalized, special });
  }
  const front = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: { type: "Replace", pattern: spaces, content: SPACE },
    pre_tokenizer: { type: "Split", pattern: spaces, behavior: "MergedWithPrevious", invert: false },
    post_processor: bosId === undefined ? null : template(texts[bosId]!, bosId),
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: SPACE }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
      ],
    },
  };
  const model = {
    type: "BPE",
    dropout: null,
    unk_token: unkId === undefined ? null : texts[unkId],
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback: types.includes(TOKEN_TYPE.byte),
    ignore_merges: false,
  };
  yield `${JSON.stringify(front).slice(0, -1)},"model":${JSON.stringify(model).slice(0, -1)},"vocab":{`;
  yield* joined(texts, (text, id) => `${JSON.stringify(text)}:${id}`);
  yield '},"merges":[';
  yield* joined(mergesOf(vocabulary, texts), ([left, right]) => JSON.stringify([texts[left], texts[right]]));
  yield "]}}";
}

/** Begins a text with <bos>, and the second one of a pair. */
function template(token: string, id: number): object {
  const special = { SpecialToken: { id: token, type_id: 0 } };
  const sequence = (name: string, type_id: number) => ({ Sequence: { id: name, type_id } });
  return {
    type: "TemplateProcessing",
    single: [special, sequence("A", 0)],
    pair: [special, sequence("A", 0), { SpecialToken: { id: token, type_id: 1 } }, sequence("B", 1)],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

/**
 * The pairs of tokens that make a token, by the falling score of what they make. Runs of spaces, which are matched before any
 * merging, come first: programs that look for added tokens in the text as it was typed do not find them.
 */
function mergesOf({ types, scores }: Vocabulary, texts: readonly string[]): (readonly [number, number])[] {
  const isRun = (id: number) => types[id] === TOKEN_TYPE.userDefined && texts[id]!.includes(SPACE);
  const ids = new Map<string, number>();
  for (const [id, text] of texts.entries()) if (types[id] === TOKEN_TYPE.normal || isRun(id)) ids.set(text, id);
  const score = (id: number) => (isRun(id) ? Number.MAX_VALUE : scores[id]!);
  const made = [...ids.values()].sort((a, b) => score(b) - score(a) || a - b);
  return made.flatMap((id) => {
    const text = texts[id]!;
    const pairs: [number, number][] = [];
    for (let at = 1; at < text.length; at++) {
      const left = ids.get(text.slice(0, at));
      const right = ids.get(text.slice(at)); // half a surrogate pair is no token
      if (left !== undefined && right !== undefined) pairs.push([left, right]);
    }
    return pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  });
}

const ITEMS_A_SLICE = 4096;

function* joined<T>(items: readonly T[], write: (item: T, i: number) => string): Generator<string, void> {
  for (let start = 0; start < items.length; start += ITEMS_A_SLICE) {
    const slice = items.slice(start, start + ITEMS_A_SLICE).map((item, i) => write(item, start + i));
    yield (start === 0 ? "" : ",") + slice.join();
  }
}
