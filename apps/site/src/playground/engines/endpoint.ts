import { filled, type Texts } from "../../text/texts.js";
import {
  type Answer,
  type AnswerOptions,
  type Engine,
  type Message,
  PlaygroundError,
  type Sampling,
  type Token,
} from "../engine.js";
import { eventData } from "./event-stream.js";
import { Stopwatch } from "./stopwatch.js";

export interface EndpointSettings {
  /** Up to and with the version: `http://localhost:8080/v1`. */
  readonly url: string;
  readonly model: string;
  readonly key: string;
}

/** What of a chat completion's chunk is read. */
interface Chunk {
  readonly error?: { readonly message?: string };
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
    readonly logprobs?: { readonly content?: readonly ChunkToken[] | null } | null;
  }[];
  readonly usage?: { readonly completion_tokens?: number } | null;
}

interface ChunkToken {
  readonly token: string;
  readonly logprob: number;
  readonly top_logprobs?: readonly { readonly token: string; readonly logprob: number }[];
}

/** Checks that the server answers, and takes its first model where none is named. */
export async function connect(settings: EndpointSettings, texts: Texts, signal: AbortSignal): Promise<Engine> {
  const url = settings.url.trim().replace(/\/+$/, "");
  const { errors } = texts.playground;
  if (!/^https?:\/\/./.test(url)) throw new PlaygroundError(errors.noUrl);
  const response = await request(`${url}/models`, { headers: headersOf(settings.key), signal }, texts);
  const { data = [] } = (await response.json()) as { readonly data?: readonly { readonly id: string }[] };
  const model = settings.model.trim() || data[0]?.id || "default";
  return {
    name: model,
    origin: { kind: "server", url, model },
    isPretrained: false,
    defaults: {},
    facts: [{ name: "backend", value: new URL(url).host }],
    answer: (messages, options) => answer({ url, model, key: settings.key }, messages, options, texts),
    memoryBytes: async () => null,
    dispose: async () => {},
  };
}

async function answer(
  { url, model, key }: EndpointSettings,
  messages: readonly Message[],
  { sampling, signal, onText }: AnswerOptions,
  texts: Texts,
): Promise<Answer> {
  const watch = new Stopwatch();
  const body = JSON.stringify({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    ...fields(sampling),
  });
  const response = await request(
    `${url}/chat/completions`,
    { method: "POST", headers: { "content-type": "application/json", ...headersOf(key) }, body, signal },
    texts,
  );
  const isStream = response.headers.get("content-type")?.includes("text/event-stream") ?? false;
  if (!isStream || response.body === null) throw new PlaygroundError(texts.playground.errors.notStream);
  const tokens: Token[] = [];
  let finish: Answer["finish"] = "stop";
  let pieces = 0;
  let counted: number | undefined;
  try {
    for await (const data of eventData(response.body)) {
      const { choices = [], usage, error } = JSON.parse(data) as Chunk;
      if (error) throw new PlaygroundError(error.message ?? texts.playground.errors.unexpected);
      counted = usage?.completion_tokens ?? counted;
      const [choice] = choices;
      const text = choice?.delta?.content ?? "";
      if (text !== "") {
        watch.tick();
        pieces++;
        onText(text);
      }
      tokens.push(...(choice?.logprobs?.content ?? []).map(tokenOf));
      if (choice?.finish_reason === "length") finish = "length";
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    finish = "stopped";
  }
  return { finish, tokens, measures: watch.measures(counted ?? Math.max(pieces, tokens.length)) };
}

/** Fields beyond OpenAI's own are sent only where they ask for something: some servers refuse what they do not know. */
function fields({ temperature, topK, topP, minP, repetitionPenalty, maxTokens, seed, logprobs }: Sampling): object {
  return {
    temperature,
    top_p: topP,
    max_tokens: maxTokens,
    seed,
    ...(topK === 64 ? {} : { top_k: topK }),
    ...(minP > 0 ? { min_p: minP } : {}),
    ...(repetitionPenalty === 1 ? {} : { repetition_penalty: repetitionPenalty }),
    ...(logprobs ? { logprobs: true, top_logprobs: 5 } : {}),
  };
}

function tokenOf({ token, logprob, top_logprobs = [] }: ChunkToken): Token {
  const alternatives = top_logprobs.map(({ token, logprob }) => ({
    id: null,
    text: token,
    probability: Math.exp(logprob),
  }));
  return { text: token, id: null, probability: Math.exp(logprob), alternatives };
}

function headersOf(key: string): Record<string, string> {
  return key === "" ? {} : { authorization: `Bearer ${key}` };
}

async function request(url: string, init: RequestInit, texts: Texts): Promise<Response> {
  const { errors } = texts.playground;
  const response = await fetch(url, init).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new PlaygroundError(errors.network);
  });
  if (response.ok) return response;
  const text = (await response.text()).slice(0, 300);
  throw new PlaygroundError(filled(errors.status, { status: response.status, text: messageIn(text) }));
}

/** OpenAI's form of an error, else the text as it is. */
function messageIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } | string };
    return (typeof error === "string" ? error : error?.message) ?? text;
  } catch {
    return text;
  }
}
