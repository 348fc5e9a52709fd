import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamResult,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { defined } from "../../base/defined.js";
import type { Gemma } from "../../runtime/gemma.js";
import type { Generation } from "../../runtime/generation.js";
import { adapterOf } from "./model-id.js";
import { toAnswerOptions } from "./options.js";
import { toMessages } from "./prompt.js";
import { contentOf, finishReasonOf, providerMetadataOf, usageOf } from "./result.js";
import { streamParts } from "./stream.js";

/** A generation under way, and what the SDK is told beside it. */
export interface Started {
  readonly generation: Generation;
  readonly response: { readonly id: string; readonly timestamp: Date; readonly modelId: string };
  /** May still grow until the first text is there. */
  readonly warnings: SharedV4Warning[];
  readonly signal: AbortSignal | undefined;
}

export class AiSdkLanguageModel implements LanguageModelV4 {
  readonly specificationVersion = "v4";
  readonly provider = "gemma";
  /** None: the model reads text alone. */
  readonly supportedUrls = {};

  constructor(
    readonly modelId: string,
    private readonly load: () => Promise<Gemma>,
  ) {}

  async doGenerate(options: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
    const { generation, response, warnings } = await this.start(options);
    const result = await generation.result;
    return {
      content: contentOf(result),
      finishReason: finishReasonOf(result),
      usage: usageOf(result),
      providerMetadata: providerMetadataOf(result),
      response,
      warnings,
    };
  }

  async doStream(options: LanguageModelV4CallOptions): Promise<LanguageModelV4StreamResult> {
    return { stream: await streamParts(await this.start(options)) };
  }

  private async start(options: LanguageModelV4CallOptions): Promise<Started> {
    const warnings: SharedV4Warning[] = [];
    const messages = toMessages(options.prompt, warnings);
    const answer = toAnswerOptions(options, warnings);
    const gemma = await this.load();
    const generation = gemma.answer(messages, {
      ...defined({ adapter: adapterOf(this.modelId, gemma, "languageModel") }),
      ...answer,
      onNote: (message) => warnings.push({ type: "other", message }),
    });
    const response = { id: crypto.randomUUID(), timestamp: new Date(), modelId: gemma.info.name };
    return { generation, response, warnings, signal: options.abortSignal };
  }
}
