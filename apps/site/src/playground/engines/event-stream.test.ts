import { expect, test } from "vitest";
import { eventData } from "./event-stream.js";

async function read(text: string, size: number): Promise<string[]> {
  const bytes = new TextEncoder().encode(text);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
  const found: string[] = [];
  for await (const data of eventData(body)) found.push(data);
  return found;
}

test("events come whole however the bytes are cut", async () => {
  const text =
    ': hello\n\ndata: {"a":"ü"}\r\n\r\ndata: one\ndata: two\n\nevent: x\ndata:three\n\ndata: [DONE]\n\ndata: late\n\n';
  for (const size of [1, 2, 3, 7, 1000]) expect(await read(text, size)).toEqual(['{"a":"ü"}', "one\ntwo", "three"]);
});

test("a stream that ends without a last blank line has its last event still", async () => {
  expect(await read("data: a\n\ndata: b", 4)).toEqual(["a", "b"]);
});
