import type {
  EmbeddingModelV4,
  EmbeddingModelV4CallOptions,
  EmbeddingModelV4Result,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { defined } from "../../base/defined.js";
import type { Gemma } from "../../runtime/gemma.js";
import { adapterOf } from "./model-id.js";

/** Means of final hidden states, as `gemma.embed` gives them. */
export class AiSdkEmbeddingModel implements EmbeddingModelV4 {
  readonly specificationVersion = "v4";
  readonly provider = "gemma";
  readonly maxEmbeddingsPerCall = Number.POSITIVE_INFINITY;
  readonly supportsParallelCalls = true;

  constructor(
    readonly modelId: string,
    private readonly load: () => Promise<Gemma>,
  ) {}

  async doEmbed({ values, dimensions, abortSignal }: EmbeddingModelV4CallOptions): Promise<EmbeddingModelV4Result> {
    const gemma = await this.load();
    const { hiddenSize } = gemma.info.config;
    const warnings: SharedV4Warning[] = [];
    if (dimensions !== undefined && dimensions !== hiddenSize) {
      warnings.push({
        type: "unsupported",
        feature: "dimensions",
        details: `embeddings have ${hiddenSize} dimensions`,
      });
    }
    const options = defined({ adapter: adapterOf(this.modelId, gemma, "embeddingModel"), signal: abortSignal });
    const prompts = await Promise.all(values.map((text) => gemma.encodePrompt(text)));
    const embeddings = await Promise.all(prompts.map((ids) => gemma.embed({ ids }, options)));
    return {
      embeddings: embeddings.map((embedding) => [...embedding]),
      usage: { tokens: prompts.reduce((sum, ids) => sum + ids.length, 0) },
      warnings,
    };
  }
}
