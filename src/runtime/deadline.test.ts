import { expect, test } from "vitest";
import { resolveRequest } from "../engine/options.js";
import { untilDeadline } from "./deadline.js";
import { EngineHost } from "./host.js";
import type { LoadedModel } from "./model.js";
import { nodePlatform } from "./platform-node.js";
import type { FromWorker } from "./protocol.js";

/** Work that ends with its signal only. */
const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

test("work is given up at the deadline, or with the signal, whatever comes first", async () => {
  const { signal } = new AbortController();
  const late = untilDeadline(resolveRequest({ deadlineMs: 10 }), signal, never);
  await expect(late).rejects.toMatchObject({ code: "ERR_DEADLINE", message: expect.stringContaining("within 10 ms") });
  const controller = new AbortController();
  const left = untilDeadline(resolveRequest({ deadlineMs: 60_000 }), controller.signal, never);
  controller.abort("enough");
  await expect(left).rejects.toBe("enough");
  const inTime = untilDeadline(resolveRequest({}), signal, async ({ aborted }) => aborted);
  expect(await inTime).toBe(false);
});

test("a generation whose grammar is late ends at its deadline, and gives its adapter back", async () => {
  const messages: FromWorker[] = [];
  const host = new EngineHost((message) => messages.push(message), nodePlatform(true));
  let held = 0;
  const engine = {
    holdAdapter() {
      held++;
      return { loaded: null, release: () => held-- };
    },
  };
  const model = { engine, mask: (_: string, signal: AbortSignal) => never(signal) } as unknown as LoadedModel;
  (host as unknown as { model: LoadedModel }).model = model;
  const options = { deadlineMs: 20, jsonSchema: { type: "string" } };
  await host.handle({ type: "generate", id: 1, params: { prompt: { ids: [1] }, options }, abort: null });
  expect(messages).toMatchObject([{ type: "error", error: { code: "ERR_DEADLINE" } }]);
  expect(held).toBe(0);
});
