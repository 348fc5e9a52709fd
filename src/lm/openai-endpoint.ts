import { GemmaError } from "../base/errors.js";
import { pairTexts } from "./encode-pair.js";
import type {
  Completion,
  CompletionOptions,
  Continuation,
  ContinuationScore,
  LanguageModel,
} from "./language-model.js";
import { withRetries } from "./retry.js";

export interface EndpointOptions {
  /** Up to and with the version, e.g. `http://localhost:8000/v1`. */
  readonly url: string;
  /** As the server names it. */
  readonly model: string;
  /** Sent as a bearer token. */
  readonly key?: string;
  /** Tokens that fit; default: not known, the server refuses what does not. */
  readonly contextLength?: number;
  /** Requests for one answer at most, with pauses that double. Default: 8. */
  readonly attempts?: number;
  /** The first pause. Default: 500. */
  readonly pauseMs?: number;
  /** A request without an answer for so long counts as failed. Default: 10 minutes. */
  readonly timeoutMs?: number;
}

const GENERATES_ONLY =
  "tasks that compare choices need echo and logprobs; those that generate, such as gsm8k or humaneval, work without";

/** What of /v1/completions is used. */
interface Choice {
  readonly index?: number;
  readonly text?: string;
  readonly finish_reason?: string | null;
  readonly logprobs?: {
    readonly token_logprobs?: readonly (number | null)[];
    readonly top_logprobs?: readonly (Readonly<Record<string, number>> | null)[] | null;
    /** In characters (code points), of the echoed text. */
    readonly text_offset?: readonly number[];
  } | null;
}

interface Answer {
  readonly choices?: readonly Choice[];
  readonly usage?: { readonly prompt_tokens?: number };
}

/**
 * A model behind an OpenAI-compatible endpoint. Log-probabilities come from /v1/completions with `echo` and
 * `logprobs`, which some servers do not offer: then only generation works.
 */
export class OpenAiEndpoint implements LanguageModel {
  readonly name: string;
  readonly contextLength: number;
  private readonly where: string;

  constructor(private readonly options: EndpointOptions) {
    this.name = options.model;
    this.contextLength = options.contextLength ?? Infinity;
    this.where = `${options.url.replace(/\/+$/, "")}/completions`;
  }

  /** As the server counts them; one more where it puts a beginning-of-sequence token in front. */
  async countTokens(text: string): Promise<number> {
    const { usage } = await this.post({ prompt: text, max_tokens: 1 }, undefined);
    if (typeof usage?.prompt_tokens === "number") return usage.prompt_tokens;
    throw this.unusable("must tell usage.prompt_tokens, got none");
  }

  async logprobs(
    batch: readonly Continuation[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ContinuationScore[]> {
    if (batch.length === 0) return [];
    const texts = batch.map(pairTexts);
    // One token more than nothing: some servers take 0 for "as many as fit".
    const request = { prompt: texts.map(({ whole }) => whole), max_tokens: 1, temperature: 0, echo: true, logprobs: 1 };
    const choices = await this.choices(request, batch.length, signal).catch((error: unknown) => {
      // Servers that know no `echo` or no `logprobs` mostly refuse the request. Keys and addresses are other matters.
      if (!(error instanceof GemmaError) || !/got status 4(?!0[134])/.test(error.message)) throw error;
      throw new GemmaError(error.code, error.message, { hint: GENERATES_ONLY, cause: error });
    });
    return texts.map((text, i) => this.score(text, choices[i]!));
  }

  async generate(prompts: readonly string[], options: CompletionOptions): Promise<Completion[]> {
    if (prompts.length === 0) return [];
    const { maxTokens, stop = [], temperature = 0, seed = 0, signal } = options;
    const request = { prompt: prompts, max_tokens: maxTokens, temperature, seed, ...(stop.length > 0 ? { stop } : {}) };
    const choices = await this.choices(request, prompts.length, signal);
    return choices.map(({ text, finish_reason }) => {
      if (typeof text !== "string") throw this.unusable("choices must have a text, got none");
      // Servers differ in how many stop strings they take and whether they leave them in.
      const ends = stop.map((end) => text.indexOf(end)).filter((at) => at >= 0);
      const isCut = ends.length > 0;
      const finishReason = isCut || finish_reason !== "length" ? "stop" : "length";
      return { text: isCut ? text.slice(0, Math.min(...ends)) : text, ids: [], finishReason };
    });
  }

  /** The continuation's tokens are those that begin behind the context, in the text as the server echoes it. */
  private score({ context, whole }: ReturnType<typeof pairTexts>, { text, logprobs }: Choice): ContinuationScore {
    const { token_logprobs: values, text_offset: offsets, top_logprobs: tops } = logprobs ?? {};
    if (!values || !offsets || typeof text !== "string") {
      throw new GemmaError(
        "ERR_UNSUPPORTED_OPTION",
        `${this.where}: must offer log-probabilities of a given text (echo with logprobs), got none`,
        { hint: GENERATES_ONLY },
      );
    }
    const start = text.indexOf(whole); // behind a beginning-of-sequence token, where the server shows it
    if (start < 0 || offsets.length !== values.length) throw this.unusable("must echo the text as it was sent");
    const first = characters(text.slice(0, start) + context);
    const end = characters(text.slice(0, start) + whole);
    // A beginning-of-sequence token that is not shown has no room, nor anything before it.
    const isHidden = (i: number) => i === 0 && values[0] === null && offsets[1] === offsets[0];
    const places = [...offsets.keys()].filter((i) => offsets[i]! >= first && offsets[i]! < end && !isHidden(i));
    const tokens = places.map((i) => {
      const logprob = values[i];
      if (typeof logprob !== "number") throw this.unusable("must give each token of a continuation a log-probability");
      return { id: null, logprob };
    });
    const isGreedy = places.every((i) => values[i]! >= Math.max(...Object.values(tops?.[i] ?? { "": Infinity })));
    return { sum: tokens.reduce((sum, { logprob }) => sum + logprob, 0), tokens, isGreedy };
  }

  /** In the order of the prompts. */
  private async choices(request: object, count: number, signal: AbortSignal | undefined): Promise<readonly Choice[]> {
    const { choices = [] } = await this.post(request, signal);
    if (choices.length !== count) throw this.unusable(`must have ${count} choices, got ${choices.length}`);
    return [...choices].sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
  }

  private async post(request: object, signal: AbortSignal | undefined): Promise<Answer> {
    const { model, key, attempts = 8, pauseMs = 500, timeoutMs = 600_000 } = this.options;
    const body = JSON.stringify({ model, ...request });
    const headers = {
      "content-type": "application/json",
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    };
    const send = async () => {
      const timeout = AbortSignal.timeout(timeoutMs);
      const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
      const response = await fetch(this.where, { method: "POST", headers, body, signal: either });
      const retryAfter = response.headers.get("retry-after");
      return { status: response.status, retryAfter, text: await response.text() };
    };
    const { status, text } = await withRetries(this.where, send, { attempts, pauseMs, ...(signal ? { signal } : {}) });
    if (status < 200 || status > 299)
      throw this.unusable(`must accept the request, got status ${status}: ${text.slice(0, 300)}`);
    try {
      return JSON.parse(text) as Answer;
    } catch {
      throw this.unusable(`must answer with JSON, got ${JSON.stringify(text.slice(0, 80))}`);
    }
  }

  private unusable(what: string): GemmaError {
    return new GemmaError("ERR_NETWORK", `${this.where}: ${what}`);
  }
}

/** Code points, as servers in Python count. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
