import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import { ContextOverflowError } from "@langchain/core/errors";
import type { BaseLanguageModelInput, StructuredOutputMethodOptions } from "@langchain/core/language_models/base";
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BaseChatModelParams,
  type BindToolsInput,
  type LangSmithParams,
} from "@langchain/core/language_models/chat_models";
import type { ModelProfile } from "@langchain/core/language_models/profile";
import type { AIMessageChunk, BaseMessage, MessageContent } from "@langchain/core/messages";
import type { ChatGenerationChunk, ChatResult } from "@langchain/core/outputs";
import type { Runnable } from "@langchain/core/runnables";
import { defined } from "../../base/defined.js";
import { GemmaError } from "../../base/errors.js";
import type { AnswerOptions, Gemma } from "../../runtime/gemma.js";
import { type GemmaSource, lazily } from "../../runtime/gemma-source.js";
import type { Generation } from "../../runtime/generation.js";
import { toMessages } from "./messages.js";
import { chatResult, lastChunk, textChunk } from "./result.js";
import { type ChatGemmaSettings, settingsOf } from "./settings.js";
import { type OutputSchema, type Structured, type StructuredOutput, structuredOutput } from "./structured-output.js";
import { toDefinition, toTool, toToolChoice } from "./tools.js";

export type ChatGemmaFields = BaseChatModelParams &
  ChatGemmaSettings & {
    /** A loaded model, or how to load it when it is first used. */
    readonly gemma: GemmaSource;
    /** The text ends before the first of these. A call's own replace them. */
    readonly stop?: readonly string[];
  };

export type ChatGemmaCallOptions = BaseChatModelCallOptions &
  ChatGemmaSettings & {
    readonly tools?: readonly BindToolsInput[];
    readonly parallel_tool_calls?: boolean;
    /** The text is JSON that conforms to this schema; see docs/json-schema.md. */
    readonly jsonSchema?: Readonly<Record<string, unknown>>;
  };

/**
 * A loaded model as a chat model.
 *
 * @example
 * const model = new ChatGemma({ gemma: await Gemma.load("gemma-3-270m"), temperature: 0 });
 * const { text } = await model.invoke("Why is the sky blue?");
 */
export class ChatGemma extends BaseChatModel<ChatGemmaCallOptions> {
  private readonly load: () => Promise<Gemma>;
  private readonly loaded: Gemma | null;
  private readonly settings: ChatGemmaSettings & { readonly stop?: readonly string[] };

  constructor({ gemma, stop, ...fields }: ChatGemmaFields) {
    super(fields);
    this.load = lazily(gemma);
    this.loaded = typeof gemma === "function" ? null : gemma;
    this.settings = { ...settingsOf(fields), ...defined({ stop }) };
  }

  static override lc_name(): string {
    return "ChatGemma";
  }

  _llmType(): string {
    return "gemma";
  }

  override get profile(): ModelProfile {
    const { loaded } = this;
    return {
      ...(loaded ? { maxInputTokens: loaded.info.contextLength } : {}),
      toolCalling: true,
      structuredOutput: true,
    };
  }

  /** Tells models apart in caches. */
  override _identifyingParams(): Record<string, unknown> {
    return { ...(this.loaded ? { model: this.loaded.info.path } : {}), ...this.settings };
  }

  override invocationParams(options?: this["ParsedCallOptions"]): Record<string, unknown> {
    return { ...this._identifyingParams(), ...settingsOf(options ?? {}) };
  }

  override getLsParams(options: this["ParsedCallOptions"]): LangSmithParams {
    const { temperature, maxTokens } = { ...this.settings, ...settingsOf(options) };
    return {
      ...super.getLsParams(options),
      ls_provider: "gemma",
      ...defined({ ls_model_name: this.loaded?.info.name, ls_temperature: temperature, ls_max_tokens: maxTokens }),
    };
  }

  /** By the model's own tokenizer. */
  override async getNumTokens(content: MessageContent): Promise<number> {
    const texts = typeof content === "string" ? [content] : content.map((block) => String(block.text ?? ""));
    return (await (await this.load()).encode(texts.join("\n"))).length;
  }

  override bindTools(
    tools: BindToolsInput[],
    options: Partial<ChatGemmaCallOptions> = {},
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, ChatGemmaCallOptions> {
    return this.withConfig({ ...options, tools: tools.map(toDefinition) });
  }

  override withStructuredOutput<T extends Structured = Structured>(
    schema: OutputSchema<T>,
    config?: StructuredOutputMethodOptions<false>,
  ): Runnable<BaseLanguageModelInput, T>;
  override withStructuredOutput<T extends Structured = Structured>(
    schema: OutputSchema<T>,
    config?: StructuredOutputMethodOptions<true>,
  ): Runnable<BaseLanguageModelInput, { raw: BaseMessage; parsed: T }>;
  override withStructuredOutput<T extends Structured = Structured>(
    schema: OutputSchema<T>,
    config?: StructuredOutputMethodOptions<boolean>,
  ): StructuredOutput<T> {
    return structuredOutput(this, schema, config);
  }

  async _generate(messages: BaseMessage[], options: this["ParsedCallOptions"]): Promise<ChatResult> {
    try {
      const { generation, model } = await this.start(messages, options);
      return chatResult(await generation.result, model);
    } catch (error) {
      throw asLangChainError(error);
    }
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const told = async (chunk: ChatGenerationChunk) => {
      await runManager?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk });
      return chunk;
    };
    try {
      const { generation, model } = await this.start(messages, options);
      for await (const piece of generation) yield await told(textChunk(piece));
      yield await told(lastChunk(await generation.result, model));
    } catch (error) {
      throw asLangChainError(error);
    }
  }

  private async start(
    messages: readonly BaseMessage[],
    options: this["ParsedCallOptions"],
  ): Promise<{ generation: Generation; model: string }> {
    const chat = toMessages(messages);
    const answer = this.answerOptions(options);
    const gemma = await this.load();
    return { generation: gemma.answer(chat, answer), model: gemma.info.name };
  }

  private answerOptions(options: this["ParsedCallOptions"]): AnswerOptions {
    const { tools = [], tool_choice, parallel_tool_calls, jsonSchema, stop, signal } = options;
    return {
      ...this.settings,
      ...settingsOf(options),
      ...defined({ stop, signal, jsonSchema }),
      ...(tools.length > 0 ? { tools: tools.map(toTool) } : {}),
      ...defined({
        toolChoice: tool_choice === undefined ? undefined : toToolChoice(tool_choice),
        parallelToolCalls: parallel_tool_calls,
      }),
    };
  }
}

/** LangChain looks for its own class where a context is full; other errors say what they are by their code. */
function asLangChainError(error: unknown): unknown {
  const isFull = error instanceof GemmaError && error.code === "ERR_CONTEXT_FULL";
  return isFull ? ContextOverflowError.fromError(error) : error;
}
