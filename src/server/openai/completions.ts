import { z } from "@hono/zod-openapi";
import { GemmaError } from "../../base/errors.js";
import type { GenerateResult } from "../../runtime/generation.js";
import { sseEvent, streamResponse } from "../http/sse.js";
import { openAiError } from "../http/statuses.js";
import type { Call } from "../requests/call.js";
import { Exchange } from "../requests/exchange.js";
import type { Place } from "../requests/place.js";
import { TokenTable } from "../requests/token-table.js";
import { operation } from "../routes.js";
import type { Serving } from "../serving.js";
import { checkLimits } from "./check-limits.js";
import { type EchoedPrompt, scorePrompt } from "./echo.js";
import { optional, samplingFields, samplingOptions, tokenLimit, usageSchema } from "./fields.js";
import { completionLogprobs, completionLogprobsSchema, idsIn, type PlacedToken, TextOffsets } from "./logprobs.js";
import { formatSchema, responseFormatSchema } from "./messages.js";
import { type PromptInput, promptOf, promptSchema, promptsOf } from "./prompts.js";
import { finishReason, newId, nowSeconds, usageOf } from "./usage.js";

/** OpenAI's default. */
const DEFAULT_MAX_TOKENS = 16;
const MOST_LOGPROBS = 20;

const requestSchema = z
  .object({
    ...samplingFields,
    prompt: promptSchema,
    max_tokens: tokenLimit,
    echo: optional(z.boolean()),
    logprobs: optional(z.number().int().min(0).max(MOST_LOGPROBS)),
    best_of: optional(z.number().int().min(1).max(1)).openapi({ description: "Only 1: ask for several with n." }),
    suffix: optional(z.literal("")).openapi({ description: "Not supported: Gemma has no form for it." }),
    response_format: optional(responseFormatSchema),
  })
  .openapi("CompletionRequest");

type CompletionRequest = z.output<typeof requestSchema>;

const responseSchema = z
  .object({
    id: z.string(),
    object: z.literal("text_completion"),
    created: z.number().int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.number().int(),
        text: z.string(),
        logprobs: completionLogprobsSchema.nullable(),
        finish_reason: z.enum(["stop", "length"]),
      }),
    ),
    usage: usageSchema,
  })
  .openapi("Completion");

export const completions = operation({
  method: "post",
  path: "/v1/completions",
  summary: "Continue texts",
  tag: "OpenAI",
  span: "text_completion",
  body: requestSchema,
  example: (model) => ({ model, prompt: "The capital of France is", max_tokens: 16 }),
  response: responseSchema,
  streams: "text/event-stream",
  async handle(serving, call, input) {
    const prompts = promptsOf(input.prompt);
    checkLimits(serving, input, prompts.length);
    expectOneEcho(input);
    let echoes: readonly EchoedPrompt[] = [];
    const exchange = await Exchange.begin(serving, call, input, async (place) => {
      if (input.echo) {
        const top = input.logprobs ?? null;
        echoes = await Promise.all(prompts.map((prompt) => scorePrompt(place, prompt, top)));
      }
      return startTexts(place, serving, input, prompts);
    });
    const head = {
      id: newId("cmpl-"),
      object: "text_completion",
      created: nowSeconds(),
      model: exchange.place.model.id,
    };
    const table = new TokenTable(exchange.place.engine);
    const choices = new Choices(input, echoes, table);
    if (input.stream) {
      await exchange.firstPiece();
      return streamResponse(call, streamEvents(exchange, head, choices, input, call));
    }
    const results = await exchange.results();
    return Response.json({
      ...head,
      choices: await Promise.all(results.map((result, index) => choices.whole(result, index))),
      usage: totalUsage(results, input.n ?? 1),
    });
  },
});

/** Each choice would repeat what the model says of the prompt: a short request for fifty megabytes. */
function expectOneEcho({ echo, logprobs, n }: CompletionRequest): void {
  if (!echo || typeof logprobs !== "number" || (n ?? 1) === 1) return;
  throw new GemmaError("ERR_RANGE", `n: must be 1 with echo and logprobs, got ${n}`, { param: "n" });
}

/** The choices of the first prompt, then those of the second. */
function startTexts(place: Place, serving: Serving, input: CompletionRequest, prompts: readonly PromptInput[]) {
  const wanted = input.max_tokens ?? DEFAULT_MAX_TOKENS;
  const maxTokens = Math.min(wanted, serving.options.limits.maxTokens ?? wanted);
  const jsonSchema = formatSchema(input.response_format);
  const shared = {
    ...place.options,
    ...(jsonSchema === undefined ? {} : { jsonSchema }),
    ...(typeof input.logprobs === "number" ? { logprobs: input.logprobs } : {}),
  };
  return prompts.flatMap((prompt) =>
    Array.from({ length: input.n ?? 1 }, (_, index) =>
      place.engine.generate(promptOf(prompt), { ...samplingOptions(input, maxTokens, index), ...shared }),
    ),
  );
}

function totalUsage(results: readonly GenerateResult[], choices: number) {
  const usages = Array.from({ length: results.length / choices }, (_, prompt) =>
    usageOf(results.slice(prompt * choices, (prompt + 1) * choices).map(({ timings }) => timings)),
  );
  const sum = (of: (usage: (typeof usages)[number]) => number) => usages.reduce((total, usage) => total + of(usage), 0);
  return {
    prompt_tokens: sum((usage) => usage.prompt_tokens),
    completion_tokens: sum((usage) => usage.completion_tokens),
    total_tokens: sum((usage) => usage.total_tokens),
    prompt_tokens_details: { cached_tokens: sum((usage) => usage.prompt_tokens_details.cached_tokens) },
  };
}

/** How choices are written, with the prompt in front where it is echoed. */
class Choices {
  private readonly offsets = new Map<number, TextOffsets>();

  constructor(
    private readonly input: CompletionRequest,
    private readonly echoes: readonly EchoedPrompt[],
    private readonly table: TokenTable,
  ) {}

  /** The echoed prompt of a choice; null: none was asked for. */
  async echo(index: number): Promise<{ text: string; logprobs: object | null } | null> {
    const echo = this.echoes[Math.floor(index / (this.input.n ?? 1))];
    return echo === undefined ? null : { text: echo.text, logprobs: await this.logprobs(index, echo.tokens) };
  }

  async logprobs(index: number, tokens: readonly PlacedToken[]) {
    if (typeof this.input.logprobs !== "number") return null;
    await this.table.load([...tokens.map(({ id }) => id), ...idsIn(tokens.map(({ logprob }) => logprob))]);
    const offsets = this.offsets.get(index) ?? new TextOffsets();
    this.offsets.set(index, offsets);
    return completionLogprobs(tokens, this.table.bytesOf, offsets);
  }

  async whole(result: GenerateResult, index: number): Promise<object> {
    const echo = this.echoes[Math.floor(index / (this.input.n ?? 1))];
    const tokens = [...(echo?.tokens ?? []), ...placed(result)];
    return {
      index,
      text: (echo?.text ?? "") + result.text,
      logprobs: await this.logprobs(index, tokens),
      finish_reason: finishReason(result.finishReason),
    };
  }
}

function placed({ logprobs = [] }: GenerateResult): readonly PlacedToken[] {
  return logprobs.map((logprob) => ({ id: logprob.id, logprob }));
}

async function* streamEvents(
  exchange: Exchange,
  head: object,
  choices: Choices,
  input: CompletionRequest,
  call: Call,
): AsyncGenerator<string, void, void> {
  const withUsage = input.stream_options?.include_usage ?? false;
  const chunk = (list: readonly object[], usage: object | null = null) =>
    sseEvent({ ...head, choices: list, ...(withUsage ? { usage } : {}) });
  const choice = (index: number, text: string, logprobs: object | null, finish: string | null) =>
    chunk([{ index, text, logprobs, finish_reason: finish }]);
  try {
    for (const index of exchange.generations.keys()) {
      const echo = await choices.echo(index);
      if (echo) yield choice(index, echo.text, echo.logprobs, null);
    }
    const results: GenerateResult[] = [];
    for await (const event of exchange.events()) {
      if (event.kind === "end") {
        results[event.index] = event.result;
        yield choice(event.index, "", null, finishReason(event.result.finishReason));
        continue;
      }
      const { text, logprob } = event.piece;
      const logprobs = logprob ? await choices.logprobs(event.index, [{ id: logprob.id, logprob }]) : null;
      if (text !== "" || logprobs) yield choice(event.index, text, logprobs, null);
    }
    if (withUsage) yield chunk([], totalUsage(results, input.n ?? 1));
    yield sseEvent("[DONE]");
  } catch (error) {
    call.notes.error = error;
    yield sseEvent(openAiError(error));
  }
}
