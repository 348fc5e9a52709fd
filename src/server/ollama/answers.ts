import type { ToolCall } from "../../engine/chat.js";
import type { TokenLogProb } from "../../engine/job.js";
import type { GenerateResult, Generation } from "../../runtime/generation.js";
import { streamResponse } from "../http/sse.js";
import { publicMessage } from "../http/statuses.js";
import { chatLogprobs, idsIn } from "../openai/logprobs.js";
import type { Call } from "../requests/call.js";
import { Exchange } from "../requests/exchange.js";
import type { Place } from "../requests/place.js";
import { TokenTable } from "../requests/token-table.js";
import type { Serving } from "../serving.js";
import { type AnswerInput, nanoseconds } from "./fields.js";

/** How one API writes a part of an answer: `{ response: "text" }`. */
export type WritePart = (text: string, calls?: readonly ToolCall[]) => object;

/** Answers with a text, in parts where the request does not ask for it whole. */
export async function answer(
  serving: Serving,
  call: Call,
  input: AnswerInput,
  write: WritePart,
  start: (place: Place) => Generation,
): Promise<Response> {
  const exchange = await Exchange.begin(serving, call, input, (place) => [start(place)]);
  const writer = new AnswerWriter(input, write, new TokenTable(exchange.place.engine), call);
  if (input.stream ?? true) {
    await exchange.firstPiece();
    return streamResponse(call, streamLines(exchange, writer, call), "application/x-ndjson");
  }
  const result = (await exchange.results())[0]!;
  return Response.json({
    ...writer.part(result.text, result.toolCalls),
    ...writer.end(result),
    ...(await writer.logprobs(result.logprobs)),
  });
}

/** The answer to a request without a prompt: clients send it to have the model loaded, which it is. */
export function loadAnswer(serving: Serving, model: string, part: object): Response {
  serving.models.resolve(model);
  return Response.json({ model, created_at: new Date().toISOString(), ...part, done: true, done_reason: "load" });
}

class AnswerWriter {
  private readonly loadMs: number;

  constructor(
    private readonly input: AnswerInput,
    private readonly write: WritePart,
    private readonly table: TokenTable,
    private readonly call: Call,
  ) {
    this.loadMs = call.elapsedSeconds * 1000;
  }

  part(text: string, calls?: readonly ToolCall[]): object {
    return {
      model: this.input.model,
      created_at: new Date().toISOString(),
      ...this.write(text, calls),
      done: false,
    };
  }

  end({ finishReason, timings }: GenerateResult): object {
    const { promptTokens, generatedTokens, queueMs, firstTokenMs, decodeMs } = timings;
    return {
      done: true,
      done_reason: finishReason === "length" ? "length" : "stop",
      total_duration: nanoseconds(this.call.elapsedSeconds * 1000),
      load_duration: nanoseconds(this.loadMs),
      prompt_eval_count: promptTokens,
      prompt_eval_duration: nanoseconds(Math.max(0, firstTokenMs - queueMs)),
      eval_count: generatedTokens,
      eval_duration: Math.max(1, nanoseconds(decodeMs)), // clients divide by it
    };
  }

  async logprobs(tokens: readonly TokenLogProb[] = []): Promise<object> {
    if (!this.input.logprobs || tokens.length === 0) return {};
    await this.table.load(idsIn(tokens));
    return { logprobs: chatLogprobs(tokens, this.table.bytesOf).content };
  }
}

async function* streamLines(exchange: Exchange, writer: AnswerWriter, call: Call): AsyncGenerator<string, void, void> {
  const line = (value: object) => `${JSON.stringify(value)}\n`;
  try {
    for await (const event of exchange.events()) {
      if (event.kind === "piece") {
        const { text, logprob } = event.piece;
        const logprobs = await writer.logprobs(logprob ? [logprob] : []);
        if (text !== "" || "logprobs" in logprobs) yield line({ ...writer.part(text), ...logprobs });
        continue;
      }
      const { result } = event;
      if (result.toolCalls) yield line(writer.part("", result.toolCalls));
      yield line({ ...writer.part(""), ...writer.end(result) });
    }
  } catch (error) {
    call.notes.error = error;
    yield line({ error: publicMessage(error) });
  }
}
