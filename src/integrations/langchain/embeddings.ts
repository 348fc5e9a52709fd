import { Embeddings, type EmbeddingsParams } from "@langchain/core/embeddings";
import { defined } from "../../base/defined.js";
import type { Gemma } from "../../runtime/gemma.js";
import { type GemmaSource, lazily } from "../../runtime/gemma-source.js";

export type GemmaEmbeddingsFields = EmbeddingsParams & {
  /** A loaded model, or how to load it when it is first used. */
  readonly gemma: GemmaSource;
  /** Name of a loaded adapter. */
  readonly adapter?: string;
};

/** Means of final hidden states, scaled to length 1, as `gemma.embed` gives them. */
export class GemmaEmbeddings extends Embeddings {
  private readonly load: () => Promise<Gemma>;
  private readonly options: { readonly adapter?: string };

  constructor({ gemma, adapter, ...params }: GemmaEmbeddingsFields) {
    super(params);
    this.load = lazily(gemma);
    this.options = defined({ adapter });
  }

  async embedDocuments(documents: string[]): Promise<number[][]> {
    return Promise.all(documents.map((document) => this.embedQuery(document)));
  }

  async embedQuery(document: string): Promise<number[]> {
    return [...(await (await this.load()).embed(document, this.options))];
  }
}
