import { expect, test } from "vitest";
import { EngineHost } from "./host.js";
import type { FromWorker } from "./protocol.js";

test("a call that was given up before it was read is not begun", async () => {
  const messages: FromWorker[] = [];
  const host = new EngineHost((message) => messages.push(message), true);
  const abort = new Int32Array(new SharedArrayBuffer(4));
  const generate = { type: "generate", params: { prompt: "a", options: {} }, abort } as const;
  await host.handle({ ...generate, id: 1 });
  abort[0] = 1;
  await host.handle({ ...generate, id: 2 });
  expect(messages).toEqual([
    { type: "error", id: 1, error: expect.objectContaining({ code: "ERR_DISPOSED" }) }, // begun, without a model
    { type: "error", id: 2, error: { abort: true } },
  ]);
});
