import { describe, expect, test } from "vitest";
import { GemmaError } from "../../base/errors.js";
import type { GenerateResult } from "../../runtime/generation.js";
import { ResponseEvents } from "./responses-events.js";
import { headOf } from "./responses-output.js";

const timings = { promptTokens: 9, cachedTokens: 8, generatedTokens: 3 } as GenerateResult["timings"];
const result = (fields: Partial<GenerateResult>): GenerateResult => ({
  ...{ text: "", ids: [], finishReason: "stop", timings, droppedMessages: 0 },
  ...fields,
});
const call = (id: string, name: string) => ({ id, name, arguments: { x: 1 } });

// biome-ignore lint/suspicious/noExplicitAny: events of many shapes, whose parts each test names
type Event = any;

/** The events of a response that writes these texts, then ends. */
function written(texts: readonly string[], end: (events: ResponseEvents) => Generator<string>): Event[] {
  const events = new ResponseEvents(headOf({ input: "x" }, "m"));
  const all = [...events.begin(), ...texts.flatMap((text) => [...events.text(text, [])]), ...end(events)];
  return all.map((event) => {
    const [, name, data] = /^event: (.+)\ndata: (.+)\n\n$/.exec(event)!;
    const parsed = JSON.parse(data!);
    expect(parsed.type).toBe(name);
    return parsed;
  });
}
const types = (events: readonly Event[]) => events.map(({ type }) => type.replace("response.", ""));

describe("the events", () => {
  test("of text and calls: items one behind the other, each in its place, numbered", () => {
    const events = written(["a", "b"], (to) =>
      to.end(result({ text: "ab", toolCalls: [call("c1", "f"), call("c2", "g")] })),
    );
    const added = [
      "output_item.added",
      "function_call_arguments.delta",
      "function_call_arguments.done",
      "output_item.done",
    ];
    expect(types(events)).toEqual([
      ...[
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
      ],
      ...["output_text.done", "content_part.done", "output_item.done", ...added, ...added, "completed"],
    ]);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
    const places = events
      .filter((event) => "output_index" in event)
      .map((event) => [event.output_index, event.item_id ?? event.item.id]);
    expect(new Set(places.map(String)).size).toBe(3);
    const { response } = events.at(-1);
    expect(response.output).toMatchObject([
      { type: "message", status: "completed", content: [{ text: "ab", annotations: [], logprobs: [] }] },
      { type: "function_call", call_id: "c1", name: "f", arguments: '{"x":1}', status: "completed" },
      { type: "function_call", call_id: "c2", name: "g" },
    ]);
    expect(response.usage).toMatchObject({
      input_tokens: 9,
      input_tokens_details: { cached_tokens: 8 },
      total_tokens: 12,
    });
    for (const event of events.filter(({ response: one }) => one)) expect(event.response.id).toBe(response.id);
  });

  test("of nothing at all have an empty message; of calls alone have none", () => {
    const empty = written([], (to) => to.end(result({})));
    expect(types(empty).slice(2)).toEqual([
      ...[
        "output_item.added",
        "content_part.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
      ],
    ]);
    const calls = written([], (to) => to.end(result({ toolCalls: [call("c", "f")] })));
    expect(calls.at(-1).response.output.map(({ type }: Event) => type)).toEqual(["function_call"]);
  });

  test("of an answer that was cut say so, in the message as well", () => {
    const events = written(["a"], (to) => to.end(result({ text: "a", finishReason: "length" })));
    expect(events.at(-1)).toMatchObject({
      type: "response.incomplete",
      response: {
        status: "incomplete",
        incomplete_details: { reason: "max_output_tokens" },
        output: [{ status: "incomplete" }],
      },
    });
  });

  test("of a failure: an error, and the response with what there was", () => {
    const events = written(["a"], (to) => to.fail(new GemmaError("ERR_DEADLINE", "request: took too long")));
    expect(types(events).slice(-2)).toEqual(["error", "failed"]);
    expect(events.at(-2)).toMatchObject({ code: "timeout", message: "request: took too long", param: null });
    expect(events.at(-1).response).toMatchObject({
      status: "failed",
      error: { code: "server_error", message: "request: took too long" },
      output: [{ status: "incomplete", content: [{ text: "a" }] }],
    });
    const secret = written([], (to) => to.fail(new Error("secret")));
    expect(JSON.stringify(secret)).not.toContain("secret");
  });
});
