import type { ChatMessage } from "../../engine/chat.js";
import { streamResponse } from "../http/sse.js";
import type { Call } from "../requests/call.js";
import { Exchange } from "../requests/exchange.js";
import type { Place } from "../requests/place.js";
import { TokenTable } from "../requests/token-table.js";
import { operation } from "../routes.js";
import type { Serving } from "../serving.js";
import { checkLimits } from "./check-limits.js";
import { samplingOptions } from "./fields.js";
import { chatLogprobs, idsIn } from "./logprobs.js";
import { QUESTION } from "./messages.js";
import { ResponseEvents } from "./responses-events.js";
import {
  callingOptions,
  messagesOf,
  type ResponsesRequest,
  responsesRequestSchema,
  textSchema,
  wantedLogprobs,
} from "./responses-input.js";
import { headOf, outputOf, responseAt, responseSchema, statusOf } from "./responses-output.js";

/** OpenAI's newer API, without what it keeps between requests: each one brings its whole conversation. */
export const responses = operation({
  method: "post",
  path: "/v1/responses",
  summary: "Answer a conversation told as items; nothing is stored",
  tag: "OpenAI",
  span: "chat",
  body: responsesRequestSchema,
  example: (model) => ({ model, input: QUESTION.content, max_output_tokens: 32 }),
  response: responseSchema,
  streams: "text/event-stream",
  async handle(serving, call, input) {
    checkLimits(serving, input);
    const messages = messagesOf(input);
    const exchange = await Exchange.begin(serving, call, input, (place) => [start(place, serving, input, messages)]);
    const head = headOf(input, exchange.place.model.id);
    const table = new TokenTable(exchange.place.engine);
    if (input.stream) {
      await exchange.firstPiece();
      return streamResponse(call, streamEvents(exchange, new ResponseEvents(head), table, input, call));
    }
    const result = (await exchange.results())[0]!;
    const tokens = wantedLogprobs(input) === undefined ? [] : (result.logprobs ?? []);
    await table.load(idsIn(tokens));
    const output = outputOf(result, chatLogprobs(tokens, table.bytesOf).content ?? []);
    return Response.json(responseAt(head, statusOf(result), output, result));
  },
});

function start(place: Place, serving: Serving, input: ResponsesRequest, messages: readonly ChatMessage[]) {
  const jsonSchema = textSchema(input);
  const logprobs = wantedLogprobs(input);
  return place.engine.answer(messages, {
    ...samplingOptions(input, input.max_output_tokens ?? serving.options.limits.maxTokens, 0),
    ...place.options,
    ...callingOptions(input),
    ...(input.truncation === "auto" ? {} : { overflow: "error" as const }),
    ...(jsonSchema === undefined ? {} : { jsonSchema }),
    ...(logprobs === undefined ? {} : { logprobs }),
  });
}

async function* streamEvents(
  exchange: Exchange,
  events: ResponseEvents,
  table: TokenTable,
  input: ResponsesRequest,
  call: Call,
): AsyncGenerator<string, void, void> {
  const withLogprobs = wantedLogprobs(input) !== undefined;
  try {
    yield* events.begin();
    for await (const event of exchange.events()) {
      if (event.kind === "end") {
        yield* events.end(event.result);
        continue;
      }
      const { text, logprob } = event.piece;
      if (logprob) await table.load(idsIn([logprob]));
      const logprobs = withLogprobs && logprob ? (chatLogprobs([logprob], table.bytesOf).content ?? []) : [];
      if (text !== "" || logprobs.length > 0) yield* events.text(text, logprobs);
    }
  } catch (error) {
    call.notes.error = error;
    yield* events.fail(error);
  }
}
