import type { ToolCall } from "../../engine/chat.js";
import type { GenerateResult } from "../../runtime/generation.js";
import { sseEvent } from "../http/sse.js";
import { openAiError } from "../http/statuses.js";
import {
  callItem,
  messageItem,
  type OutputItem,
  type ResponseHead,
  responseAt,
  statusOf,
  type TokenLogprobs,
  textPart,
} from "./responses-output.js";
import { newId } from "./usage.js";

/** Writes the events of one streamed response, each in its place and with its number. */
export class ResponseEvents {
  private next = 0;
  private readonly output: OutputItem[] = []; // complete ones
  private message: { readonly id: string; text: string; readonly logprobs: TokenLogprobs } | null = null;

  constructor(private readonly head: ResponseHead) {}

  *begin(): Generator<string> {
    for (const type of ["response.created", "response.in_progress"]) {
      yield this.event(type, { response: responseAt(this.head, "in_progress", []) });
    }
  }

  *text(delta: string, logprobs: TokenLogprobs): Generator<string> {
    if (!this.message) yield* this.openMessage();
    const message = this.message!;
    message.text += delta;
    message.logprobs.push(...logprobs);
    yield this.event("response.output_text.delta", { ...this.place(message.id), content_index: 0, delta, logprobs });
  }

  *end(result: GenerateResult): Generator<string> {
    const { toolCalls = [], timings } = result;
    const status = statusOf(result);
    if (!this.message && toolCalls.length === 0) yield* this.openMessage();
    if (this.message) yield* this.closeMessage(status);
    for (const call of toolCalls) yield* this.call(call);
    yield this.event(`response.${status}`, { response: responseAt(this.head, status, this.output, { timings }) });
  }

  /** The end of a response that broke off: clients differ in which of the two events they look for. */
  *fail(cause: unknown): Generator<string> {
    const { error } = openAiError(cause);
    if (this.message) this.output.push(messageItem(this.message.id, "incomplete", [this.part]));
    yield this.event("error", { code: error.code, message: error.message, param: error.param });
    const told = { code: "server_error", message: error.message };
    yield this.event("response.failed", { response: responseAt(this.head, "failed", this.output, { error: told }) });
  }

  private *openMessage(): Generator<string> {
    const message = { id: newId("msg_"), text: "", logprobs: [] };
    this.message = message;
    yield this.item("added", messageItem(message.id, "in_progress", []));
    yield this.event("response.content_part.added", {
      ...this.place(message.id),
      content_index: 0,
      part: textPart("", []),
    });
  }

  private *closeMessage(status: "completed" | "incomplete"): Generator<string> {
    const { id, text, logprobs } = this.message!;
    const place = { ...this.place(id), content_index: 0 };
    yield this.event("response.output_text.done", { ...place, text, logprobs });
    yield this.event("response.content_part.done", { ...place, part: this.part });
    yield this.done(messageItem(id, status, [this.part]));
    this.message = null;
  }

  private *call(call: ToolCall): Generator<string> {
    const id = newId("fc_");
    const written = JSON.stringify(call.arguments);
    yield this.item("added", callItem(id, "in_progress", call));
    yield this.event("response.function_call_arguments.delta", { ...this.place(id), delta: written });
    yield this.event("response.function_call_arguments.done", {
      ...this.place(id),
      name: call.name,
      arguments: written,
    });
    yield this.done(callItem(id, "completed", call));
  }

  private get part() {
    return textPart(this.message!.text, this.message!.logprobs);
  }

  /** Where the item under way stands. */
  private place(id: string) {
    return { item_id: id, output_index: this.output.length };
  }

  private done(item: OutputItem): string {
    const text = this.item("done", item);
    this.output.push(item);
    return text;
  }

  private item(what: "added" | "done", item: OutputItem): string {
    return this.event(`response.output_item.${what}`, { output_index: this.output.length, item });
  }

  private event(type: string, fields: object): string {
    return sseEvent({ type, sequence_number: this.next++, ...fields }, type);
  }
}
