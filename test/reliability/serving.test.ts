import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtBackends, isLibraryBuilt } from "../helpers/built-library.js";
import { ServedModel } from "../helpers/served-model.js";
import { get } from "../helpers/server.js";
import { TINY } from "../helpers/tiny-models.js";

const STREAMS = 100;
const endless = { prompt: "the quick", max_tokens: 8000, temperature: 0, ignore_eos: true, stream: true };

describe.skipIf(!isLibraryBuilt)("a server on a port, its engine in a worker", () => {
  let served: ServedModel;
  beforeAll(async () => {
    served = await ServedModel.start(TINY.gemma3, { backend: builtBackends[0]!, contextLength: 8192 });
  });
  afterAll(() => served?.end());

  const leave = (body: object, msOf: (i: number) => number) =>
    Promise.all(Array.from({ length: STREAMS }, (_, i) => served.leavingClient(body, msOf(i))));

  test("100 clients that leave after a token: nothing runs or is held half a second later", async () => {
    expect(await leave(endless, () => 20_000)).not.toContain("late");
    await served.quietWithin(500); // throws otherwise
  });

  test("clients that leave before the first token: in the queue, in the prompt", async () => {
    const prompt = Array.from({ length: 4000 }, (_, i) => 5 + (i % 700)); // some steps' work
    await leave({ ...endless, prompt }, (i) => 1 + i / 10);
    await served.quietWithin(500); // throws otherwise
  });

  test("a worker that dies under 20 streams: each is told, the server is back by itself", async () => {
    const responses = await Promise.all(Array.from({ length: 20 }, () => served.post(endless)));
    const { link } = served.models.at(-1)! as unknown as { link: { port: { terminate(): Promise<unknown> } } };
    await link.port.terminate(); // as if the thread had died
    for (const response of responses) {
      const last = (await response.text()).trim().split("\n\n").at(-1)!;
      const error = { code: "ERR_WORKER", type: "server_error" };
      expect(JSON.parse(last.replace("data: ", ""))).toMatchObject({ error });
    }
    expect((await get(served.server, "/readyz")).status).toBe(503);
    const end = performance.now() + 10_000;
    while (!served.server.ready && performance.now() < end) await sleep(20);
    const again = await served.post({ ...endless, max_tokens: 5, stream: false });
    expect([again.status, (await again.json()).usage.completion_tokens]).toEqual([200, 5]);
  });
});
