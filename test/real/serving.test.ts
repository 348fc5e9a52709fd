import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isLibraryBuilt } from "../helpers/built-library.js";
import { ServedModel } from "../helpers/served-model.js";
import { metric } from "../helpers/server.js";
import { realModelPath } from "./model-path.js";

const STREAMS = 100;
const path = realModelPath();

/** Tokens of each stream: the one that it saw, and those of the steps that were under way when it left. */
const MOST_TOKENS = 4;

describe.skipIf(path === undefined || !isLibraryBuilt)("a server of the real model", () => {
  let served: ServedModel;
  beforeAll(async () => {
    served = await ServedModel.start(path!, { contextLength: 2048, threads: 2 });
  });
  afterAll(() => served?.end());

  test("100 clients that leave after a token: nothing runs half a second later, little was computed for nothing", async () => {
    const endless = { prompt: "Once upon a time", max_tokens: 1500, temperature: 0, ignore_eos: true, stream: true };
    expect((await served.post({ ...endless, max_tokens: 2, stream: false })).status).toBe(200);
    const before = await metric(served.server, "gemma_generation_tokens_total");
    const clients = Array.from({ length: STREAMS }, () => served.leavingClient(endless));
    expect(await Promise.all(clients)).not.toContain("late");
    await served.quietWithin(500); // throws otherwise
    const tokens = (await metric(served.server, "gemma_generation_tokens_total")) - before;
    expect(tokens).toBeGreaterThanOrEqual(STREAMS);
    expect(tokens).toBeLessThan(STREAMS * MOST_TOKENS);
  });
});
