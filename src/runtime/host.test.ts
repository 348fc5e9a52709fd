import { expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { Gemma } from "./gemma.js";
import { EngineHost } from "./host.js";
import { nodePlatform } from "./platform-node.js";
import type { FromWorker } from "./protocol.js";

test("a call that was given up before it was read is not begun", async () => {
  const messages: FromWorker[] = [];
  const host = new EngineHost((message) => messages.push(message), nodePlatform(true));
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

test("a long text is encoded in slices, between which others go on", async () => {
  await using gemma = await Gemma.load(TINY.gemma3, { backend: "reference", inProcess: true, contextLength: 64 });
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  const encoding = gemma.encode("the cat sat on the mat. ".repeat(40_000)).finally(() => {
    isDone = true;
  });
  setImmediate(count);
  await encoding;
  expect(turns).toBeGreaterThan(10); // 960 kB
});
