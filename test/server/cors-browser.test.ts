import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Listener, listen } from "../../src/server/port/listen.js";
import type { GemmaServer } from "../../src/server/server.js";
import { findChromium, Tab } from "../helpers/chromium.js";
import { metric, tinyServer } from "../helpers/server.js";

// What a page of another origin can do, by a browser's own judgement.

const command = findChromium();
const HTML = { headers: { "content-type": "text/html" } };

describe.skipIf(command === undefined)("a page of another origin", () => {
  let page: Listener; // the page's own server; another port is another origin
  let servers: GemmaServer[] = [];
  let closed: Listener;
  let open: Listener;
  let tab: Tab;

  beforeAll(async () => {
    page = await listen(async () => new Response("<!doctype html><title>page</title>", HTML), at());
    const origin = page.url.replace(/\/$/, "");
    servers = await Promise.all([
      tinyServer({}, { contextLength: 64 }),
      tinyServer({ origins: [origin] }, { contextLength: 64 }),
    ]);
    [closed, open] = (await Promise.all(servers.map((server) => listen(server.fetch, at())))) as [Listener, Listener];
    tab = await Tab.open(command!);
    await tab.show(page.url, { width: 400, height: 400 });
  }, 60_000);
  afterAll(async () => {
    await tab?.close();
    await Promise.all([page, closed, open].map((one) => one?.close(0)));
    await Promise.all(servers.map((server) => server.dispose()));
  });

  /** The status that the page sees, or the error's name. */
  const fetchFrom = (server: Listener, path: string, init: object = {}) =>
    tab.evaluate<number | string>(
      `fetch(${JSON.stringify(new URL(path, server.url).href)}, ${JSON.stringify(init)}).then((r) => r.status, (e) => e.name)`,
    );
  const completion = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt: "a", max_tokens: 1 }),
  };

  test("reads nothing and computes nothing unless it is named", async () => {
    expect(await fetchFrom(closed, "/v1/models")).toBe("TypeError");
    expect(await fetchFrom(closed, "/v1/completions", completion)).toBe("TypeError");
    const simple = {
      method: "POST",
      mode: "no-cors",
      headers: { "content-type": "text/plain" },
      body: completion.body,
    };
    await fetchFrom(closed, "/v1/completions", simple); // needs no preflight: the server itself must refuse it
    expect(await metric(servers[0]!, "gemma_generation_tokens_total")).toBe(0);
  });

  test("does what any client does where it is named", async () => {
    expect(await fetchFrom(open, "/v1/models")).toBe(200);
    expect(await fetchFrom(open, "/v1/completions", completion)).toBe(200);
  });
});

const at = () => ({ host: "127.0.0.1", port: 0 });
