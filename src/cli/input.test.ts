import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { jsonLines } from "./input.js";

const idle = new AbortController().signal;

async function read(...chunks: readonly (string | Uint8Array)[]) {
  const found: [line: number, text: unknown][] = [];
  for await (const { line, object } of jsonLines(idle, Readable.from(chunks.map((chunk) => Buffer.from(chunk))))) {
    found.push([line, object.get("text")]);
  }
  return found;
}

test("JSON lines end at line feeds alone, wherever the input is cut", async () => {
  const input = Buffer.from('{"text":"a\u2028b\u2029c\u0085d é"}\r\n\n  \n{"text":"last"}');
  const wanted = [
    [1, "a\u2028b\u2029c\u0085d é"],
    [4, "last"],
  ];
  expect(await read(input)).toEqual(wanted);
  expect(await read(...Array.from(input, (byte) => Uint8Array.of(byte)))).toEqual(wanted);
  expect(await read()).toEqual([]);
});

test("what is no JSON object is refused with its line", async () => {
  await expect(read('{"text":""}\n[1]\n')).rejects.toMatchObject({
    code: "ERR_INVALID_JSON",
    message: "standard input, line 2: must be a JSON object",
  });
});

test("an abort ends the wait for more input", async () => {
  const controller = new AbortController();
  const input = new Readable({ read() {} });
  input.push('{"text":"first"}\n');
  const lines = jsonLines(controller.signal, input);
  expect((await lines.next()).value?.line).toBe(1);
  controller.abort();
  await expect(lines.next()).rejects.toMatchObject({ name: "AbortError" });
});
