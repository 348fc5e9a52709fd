import { describe, expect, test } from "vitest";
import { paces, readStream, SseReader } from "./answer.mjs";

describe("SseReader", () => {
  test("gives events when they are complete, however the text is cut", () => {
    const text = 'data: {"a":1}\n\n: a comment\r\nevent: x\r\ndata: one\r\ndata:two\r\n\r\nid: 7\n\ndata: [DONE]\n\n';
    for (let size = 1; size <= text.length; size++) {
      const reader = new SseReader();
      const events = [];
      for (let at = 0; at < text.length; at += size) events.push(...reader.push(text.slice(at, at + size)));
      expect(events).toEqual(['{"a":1}', "one\ntwo", "[DONE]"]);
    }
  });

  test("keeps an event that is not ended", () => {
    expect(new SseReader().push("data: x\n")).toEqual([]);
  });
});

const event = (value) => `data: ${JSON.stringify(value)}\n\n`;

describe("readStream", () => {
  test("reads a completion whose characters are cut between chunks", () => {
    const text = [
      event({ choices: [{ text: "schön", finish_reason: null }] }),
      event({ choices: [{ text: "er", finish_reason: "length" }] }),
      event({ choices: [], usage: { completion_tokens: 2 } }),
      "data: [DONE]\n\n",
    ].join("");
    const bytes = Buffer.from(text);
    const cut = bytes.indexOf(0xc3) + 1; // inside the ö
    const chunks = [
      { atMs: 10, bytes: bytes.subarray(0, cut) },
      { atMs: 25, bytes: bytes.subarray(cut) },
    ];
    const answer = readStream(chunks);
    expect(answer).toMatchObject({
      text: "schöner",
      finishReason: "length",
      usage: { completion_tokens: 2 },
      isDone: true,
    });
    expect(paces(answer)).toEqual({ firstMs: 25, gapsMs: [0] });
  });

  test("reads a chat, where the first event has only a role", () => {
    const chunks = [
      { atMs: 1, bytes: Buffer.from(event({ choices: [{ delta: { role: "assistant", content: "" } }] })) },
      { atMs: 5, bytes: Buffer.from(event({ choices: [{ delta: { content: "Hi" } }] })) },
      { atMs: 9, bytes: Buffer.from(event({ choices: [{ delta: { content: "!" } }] })) },
      { atMs: 9, bytes: Buffer.from(event({ choices: [{ delta: {}, finish_reason: "stop" }] })) },
    ];
    const answer = readStream(chunks);
    expect(answer).toMatchObject({ text: "Hi!", finishReason: "stop", isDone: false, error: null });
    expect(paces(answer)).toEqual({ firstMs: 5, gapsMs: [4] });
  });

  test("an error event is kept, a stream without text has no first time", () => {
    const chunks = [{ atMs: 1, bytes: Buffer.from(event({ error: { message: "no" } })) }];
    expect(readStream(chunks).error).toEqual({ message: "no" });
    expect(paces(readStream(chunks))).toEqual({ firstMs: null, gapsMs: [] });
  });
});
