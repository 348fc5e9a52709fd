import { describe } from "vitest";
import { itSurvives } from "../../test/fuzz.js";
import { tokenizerFixture } from "../../test/tiny-spm.js";
import { Tokenizer } from "./tokenizer.js";
import { type Vocabulary, vocabularyFromSentencePiece, vocabularyFromTokenizerJson } from "./vocabulary.js";

/** Uses a vocabulary that was accepted, however odd it is. */
function use(vocabulary: Vocabulary): void {
  const tokenizer = Tokenizer.fromVocabulary(vocabulary);
  const text = "<bos>the  cat\n\n\u4e2d\u{1f600} \u2581\u2581 <b>\u0000</b>";
  for (const specials of [false, true]) tokenizer.decode(tokenizer.encode(text, { specials }));
}

describe("fuzz", () => {
  const model = tokenizerFixture("tiny-spm/tokenizer.model");
  itSurvives("tokenizer.model", [model], (bytes) => use(vocabularyFromSentencePiece(bytes)));

  const json = tokenizerFixture("tiny-spm/tokenizer.json");
  const small = tokenizerFixture("../bad/tokenizer/control/tokenizer.json");
  itSurvives("tokenizer.json", [json, small], (bytes) => use(vocabularyFromTokenizerJson(bytes)));
});
