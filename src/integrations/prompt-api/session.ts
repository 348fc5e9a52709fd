import type { ChatMessage } from "../../engine/chat.js";
import type { AnswerOptions, Gemma } from "../../runtime/gemma.js";
import { abortable, withSignals } from "./abort.js";
import { type Constraint, toConstraint } from "./constraint.js";
import { Conversation } from "./conversation.js";
import { domException, promptError, QuotaExceeded } from "./errors.js";
import { toMessages } from "./messages.js";
import type { Sampling } from "./sampling.js";
import { runTools } from "./tools.js";
import type {
  LanguageModelPrompt,
  LanguageModelPromptOptions,
  LanguageModelSamplingMode,
  LanguageModelTool,
} from "./types.js";

/** Options of `gemma.answer` that the API has no name for. */
export type SessionDefaults = Omit<AnswerOptions, "signal" | "onNote" | "tools" | "toolChoice" | "jsonSchema">;

/** What a session and its clones have in common. */
export interface SessionParts {
  readonly gemma: Gemma;
  readonly sampling: Sampling;
  readonly tools: readonly LanguageModelTool[];
  readonly defaults: SessionDefaults;
}

/** Rounds of tool calls before an answer must come without. */
const MOST_ROUNDS = 8;

interface SignalOption {
  readonly signal?: AbortSignal;
}

/**
 * A conversation. Prompts wait for each other; one that fails or is aborted leaves no message behind. When the context
 * window is full the oldest prompts and responses go, with an event "contextoverflow"; the initial ones never do.
 */
export class LanguageModelSession extends EventTarget {
  oncontextoverflow: ((event: Event) => void) | null = null;
  /** The older name. */
  onquotaoverflow: ((event: Event) => void) | null = null;
  private readonly destruction = new AbortController();
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly parts: SessionParts,
    private readonly conversation: Conversation,
  ) {
    super();
    this.addEventListener("contextoverflow", (event) => this.oncontextoverflow?.(event));
    this.addEventListener("quotaoverflow", (event) => this.onquotaoverflow?.(event));
  }

  /** @internal */
  static async start(
    parts: SessionParts,
    initial: readonly ChatMessage[],
    signal: AbortSignal | undefined,
  ): Promise<LanguageModelSession> {
    const { gemma, defaults } = parts;
    const { style, adapter } = defaults;
    const conversation = await Conversation.start({ gemma, style, adapter, tools: toolsOf(parts) }, initial);
    const session = new LanguageModelSession(parts, conversation);
    signal?.addEventListener("abort", () => session.destruction.abort(signal.reason), { once: true });
    return session;
  }

  get contextUsage(): number {
    return this.conversation.usage;
  }

  get contextWindow(): number {
    return this.conversation.window;
  }

  /** The older name of `contextUsage`. */
  get inputUsage(): number {
    return this.contextUsage;
  }

  /** The older name of `contextWindow`. */
  get inputQuota(): number {
    return this.contextWindow;
  }

  get samplingMode(): LanguageModelSamplingMode {
    return this.parts.sampling.mode;
  }

  get temperature(): number {
    return this.parts.sampling.temperature;
  }

  get topK(): number {
    return this.parts.sampling.topK;
  }

  prompt(input: LanguageModelPrompt, options: LanguageModelPromptOptions = {}): Promise<string> {
    return this.respond(input, options, () => {});
  }

  promptStreaming(input: LanguageModelPrompt, options: LanguageModelPromptOptions = {}): ReadableStream<string> {
    const cancelled = new AbortController();
    return new ReadableStream<string>({
      start: (controller) => {
        withSignals([options.signal, cancelled.signal], (signal) =>
          this.respond(input, { ...options, signal }, (piece) => controller.enqueue(piece)),
        ).then(
          () => controller.close(),
          (error) => controller.error(error),
        );
      },
      cancel: (reason) => cancelled.abort(reason),
    });
  }

  /** Adds messages without asking for a response. */
  append(input: LanguageModelPrompt, { signal }: SignalOption = {}): Promise<void> {
    return this.inTurn(signal, async (either) => {
      const messages = toMessages(input, this.conversation.messages.length > 0);
      await this.makeRoom(messages, 0);
      await this.conversation.add(messages, either);
    });
  }

  /** Tokens that the input would take of the context window. */
  measureContextUsage(input: LanguageModelPrompt, options: LanguageModelPromptOptions = {}): Promise<number> {
    return withSignals([this.destruction.signal, options.signal], async (signal) => {
      constraintOf(options);
      return abortable(this.conversation.measure(toMessages(input, false)), signal);
    }).catch(rejectAsDraft);
  }

  /** The older name of `measureContextUsage`. */
  measureInputUsage(input: LanguageModelPrompt, options: LanguageModelPromptOptions = {}): Promise<number> {
    return this.measureContextUsage(input, options);
  }

  /** A session that goes on from here, independently. */
  clone({ signal }: SignalOption = {}): Promise<LanguageModelSession> {
    return withSignals([this.destruction.signal, signal], async () => {
      return new LanguageModelSession(this.parts, this.conversation.clone());
    });
  }

  /** Rejects prompts under way and later ones with an AbortError. The model stays loaded for other sessions. */
  destroy(): void {
    this.destruction.abort(domException("AbortError", "the session was destroyed"));
  }

  private respond(
    input: LanguageModelPrompt,
    options: LanguageModelPromptOptions,
    onPiece: (piece: string) => void,
  ): Promise<string> {
    return this.inTurn(options.signal, async (signal) => {
      const constraint = constraintOf(options);
      const asked = toMessages(input, this.conversation.messages.length > 0);
      if (asked.at(-1)?.role !== "user") throw domException("NotSupportedError", "the last message must be the user's");
      await this.makeRoom(asked, this.parts.gemma.info.contextLength >> 2);
      const read = constraint?.read;
      const answer = await this.answer(asked, constraint, signal, read ? () => {} : onPiece);
      const text = answer.map((message) => (message.role === "assistant" ? message.content : "")).join("");
      const response = read ? read(text) : text;
      if (read) onPiece(response);
      await this.conversation.add([...asked, ...answer], signal);
      return response;
    });
  }

  /** The messages that answer: the model's, and between them results of tools. */
  private async answer(
    asked: readonly ChatMessage[],
    constraint: Constraint | null,
    signal: AbortSignal,
    onPiece: (piece: string) => void,
  ): Promise<readonly ChatMessage[]> {
    const { gemma, sampling, tools, defaults } = this.parts;
    const { temperature, topK } = sampling;
    const constrained = constraint ? { jsonSchema: constraint.jsonSchema } : {};
    const answer: ChatMessage[] = [];
    for (let round = 0; ; round++) {
      const messages = [...this.conversation.messages, ...asked, ...answer];
      const left = gemma.info.contextLength - (await this.conversation.promptTokens(messages));
      if (left < 1) throw new QuotaExceeded(this.contextWindow + 1 - left, this.contextWindow);
      const calling =
        tools.length === 0
          ? {}
          : ({ tools: toolsOf(this.parts), toolChoice: round < MOST_ROUNDS ? "auto" : "none" } as const);
      const maxTokens = Math.min(defaults.maxTokens ?? left, left); // none of the messages is left out for more
      const generation = gemma.answer(messages, {
        ...defaults,
        temperature,
        topK,
        ...constrained,
        ...calling,
        maxTokens,
        signal,
      });
      for await (const piece of generation) onPiece(piece);
      const { text, toolCalls, finishReason } = await generation.result;
      answer.push({ role: "assistant", content: text, ...(toolCalls ? { toolCalls } : {}) });
      if (toolCalls === undefined) {
        if (constraint === null || finishReason === "stop") return answer;
        throw domException("SyntaxError", "the response ended before it conformed to the constraint");
      }
      answer.push(...(await abortable(runTools(tools, toolCalls), signal)));
    }
  }

  private async makeRoom(messages: readonly ChatMessage[], room: number): Promise<void> {
    if (!(await this.conversation.fit(messages, room))) return;
    this.dispatchEvent(new Event("contextoverflow"));
    this.dispatchEvent(new Event("quotaoverflow"));
  }

  /** Waits for the prompts before, unless the signal or `destroy` ends it. */
  private inTurn<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return withSignals([this.destruction.signal, signal], (either) => {
      const turn = this.last.then(() => {
        either.throwIfAborted();
        return work(either);
      });
      this.last = turn.catch(() => {});
      return abortable(turn, either);
    }).catch(rejectAsDraft);
  }
}

function toolsOf({ tools }: SessionParts) {
  return tools.map(({ name, description, inputSchema }) => {
    return { name, description, parameters: inputSchema as Readonly<Record<string, unknown>> };
  });
}

function constraintOf(options: LanguageModelPromptOptions): Constraint | null {
  if (options.responseConstraint !== undefined) return toConstraint(options.responseConstraint);
  if (!options.omitResponseConstraintInput) return null;
  throw new TypeError("omitResponseConstraintInput: must be beside a responseConstraint");
}

function rejectAsDraft(error: unknown): never {
  throw promptError(error);
}
