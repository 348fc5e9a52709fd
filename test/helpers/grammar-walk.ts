import { expect } from "vitest";
import type { Rng } from "../../src/base/rng.js";
import { GrammarService, grammarVocabulary } from "../../src/runtime/grammar.js";
import { grammarsHere } from "../../src/runtime/platform-node.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { tinyVocabularies } from "../tiny-spm.js";

const signal = new AbortController().signal;

/** Walks at random through what a grammar allows, in the caller's thread. */
export class GrammarWalk {
  readonly tokenizer = Tokenizer.fromVocabulary(tinyVocabularies.gguf());
  readonly service: GrammarService;
  private readonly stopIds = [...this.tokenizer.eosIds];
  private readonly ids = Array.from({ length: this.tokenizer.size }, (_, id) => id);
  private readonly closes = this.ids.map((id) => /^["}\]]/.test(this.tokenizer.tokenText(id)));

  constructor() {
    const vocabulary = grammarVocabulary(this.tokenizer.vocabulary, this.stopIds, this.tokenizer.size);
    this.service = new GrammarService(vocabulary, grammarsHere);
  }

  allowedIds(bits: Uint32Array): number[] {
    return this.ids.filter((id) => (bits[id >> 5]! >>> (id & 31)) & 1);
  }

  /** A text of allowed tokens chosen at random behind `begin`; it ends where it may. null: not ended in time. */
  async randomText(grammar: string, rng: Rng, steps = 60, begin = ""): Promise<string | null> {
    const { tokenizer, stopIds, closes } = this;
    const mask = await this.service.open(grammar, signal);
    const ids: number[] = [];
    try {
      for (const id of tokenizer.encode(begin)) {
        await mask.whenReady();
        ids.push(id);
        mask.accept(id);
      }
      for (let step = 0; step < steps; step++) {
        await mask.whenReady();
        const allowed = this.allowedIds(mask.bits!);
        expect(allowed.length, `a dead end behind ${tokenizer.decode(ids)}`).toBeGreaterThan(0);
        expect(allowed.filter((id) => tokenizer.isControl(id) && !stopIds.includes(id))).toEqual([]);
        const stop = allowed.find((id) => stopIds.includes(id));
        if (stop !== undefined && (allowed.every((id) => stopIds.includes(id)) || rng.integer(4) === 0)) {
          return tokenizer.decode(ids);
        }
        // Tokens that close something are preferred, so that most walks end.
        const texts = allowed.filter((id) => !stopIds.includes(id));
        const closing = texts.filter((id) => closes[id]);
        const from = closing.length > 0 && rng.integer(3) > 0 ? closing : texts;
        const id = from[rng.integer(from.length)]!;
        ids.push(id);
        mask.accept(id);
      }
      return null;
    } finally {
      mask.close();
    }
  }

  /** Whether a grammar allows a text, written with the tokenizer's own tokens, and its end behind it. */
  async allows(grammar: string, text: string): Promise<boolean> {
    const mask = await this.service.open(grammar, signal);
    try {
      for (const id of this.tokenizer.encode(text)) {
        await mask.whenReady();
        if (!this.allowedIds(mask.bits!).includes(id)) return false;
        mask.accept(id);
      }
      await mask.whenReady();
      return this.allowedIds(mask.bits!).some((id) => this.stopIds.includes(id));
    } finally {
      mask.close();
    }
  }
}
