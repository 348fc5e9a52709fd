import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { FakeLanguageModel } from "./fake.js";
import { type EndpointOptions, OpenAiEndpoint } from "./openai-endpoint.js";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Sent {
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a request is what the test reads of it
  readonly body: any;
}

type Handler = (sent: Sent, response: ServerResponse) => void | Promise<void>;

/** A server, and an endpoint that asks it. Handlers answer one request each, the last one all further. */
async function serve(handlers: readonly Handler[], options: Partial<EndpointOptions> = {}) {
  const sent: Sent[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { url, headers } = request;
    sent.push({ url, authorization: headers.authorization, body: JSON.parse(body) });
    await handlers[Math.min(sent.length, handlers.length) - 1]!(sent.at(-1)!, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
  return { sent, endpoint: new OpenAiEndpoint({ url, model: "served", pauseMs: 1, ...options }) };
}

const json =
  (value: unknown): Handler =>
  (_, response) =>
    void response.end(JSON.stringify(value));
const status =
  (code: number, headers = {}): Handler =>
  (_, response) =>
    void response.writeHead(code, headers).end("no");

const fake = new FakeLanguageModel({ seed: 2 });

/** What a server does with `echo`: a model of bytes that shows its first token, in an order of its own. */
const echo: Handler = async ({ body }, response) => {
  const choices = await Promise.all(
    (body.prompt as string[]).map(async (text, index) => {
      const [score] = await fake.logprobs([{ context: "", continuation: text }]);
      const values = [null, ...score!.tokens.map(({ logprob }) => logprob), -1];
      const offsets = [0, ...Array.from(text, (_, i) => 5 + i), 5 + text.length];
      const top_logprobs = values.map((value) => (value === null ? null : { x: Math.max(value, -1) }));
      return {
        index,
        text: `<bos>${text}!`,
        logprobs: { token_logprobs: values, text_offset: offsets, top_logprobs },
      };
    }),
  );
  json({ choices: choices.reverse() })({ url: "", authorization: "", body }, response);
};

const BATCH = [
  { context: "the cat ", continuation: "sat" },
  { context: "the cat", continuation: " lay down" },
];

test("log-probabilities of continuations come from the echoed text", async () => {
  const { sent, endpoint } = await serve([echo], { key: "secret" });
  const scores = await endpoint.logprobs(BATCH);
  expect(sent).toEqual([
    {
      url: "/v1/completions",
      authorization: "Bearer secret",
      body: {
        ...{ model: "served", prompt: ["the cat sat", "the cat lay down"] },
        ...{ max_tokens: 1, temperature: 0, echo: true, logprobs: 1 },
      },
    },
  ]);
  const wanted = await fake.logprobs(BATCH);
  for (const [i, { sum, tokens }] of scores.entries()) {
    expect(tokens.map(({ logprob }) => logprob)).toEqual(wanted[i]!.tokens.map(({ logprob }) => logprob));
    expect(sum).toBeCloseTo(wanted[i]!.sum, 12);
  }
});

test("a first token that is not shown belongs to no continuation, one that is not there is missed", async () => {
  const choice = { index: 0, text: "ab.", logprobs: { token_logprobs: [null, -1, -2, -3], text_offset: [0, 0, 1, 2] } };
  const hidden = await serve([json({ choices: [choice] })]);
  const pair = { context: "", continuation: "ab" };
  expect(await hidden.endpoint.logprobs([pair])).toMatchObject([
    { sum: -3, tokens: [{ logprob: -1 }, { logprob: -2 }] },
  ]);
  const without = { ...choice, logprobs: { token_logprobs: [null, -2, -3], text_offset: [0, 1, 2] } };
  const none = await serve([json({ choices: [without] })]);
  await expect(none.endpoint.logprobs([pair])).rejects.toThrow("a log-probability");
});

test("a server without log-probabilities is told from one that fails", async () => {
  const none = { choices: [{ index: 0, text: "the cat sat." }] };
  const { endpoint } = await serve([json(none)]);
  await expect(endpoint.logprobs(BATCH.slice(0, 1))).rejects.toMatchObject({
    code: "ERR_UNSUPPORTED_OPTION",
    message: expect.stringContaining("log-probabilities"),
  });
});

test("texts are cut before a stop string, if the server has not", async () => {
  const { sent, endpoint } = await serve([
    json({
      choices: [
        { index: 0, text: " one\ntwo", finish_reason: "length" },
        { index: 1, text: " three", finish_reason: "length" },
      ],
    }),
  ]);
  const options = { maxTokens: 9, stop: ["\n"], temperature: 0.5, seed: 3 };
  expect(await endpoint.generate(["a", "b"], options)).toEqual([
    { text: " one", ids: [], finishReason: "stop" },
    { text: " three", ids: [], finishReason: "length" },
  ]);
  expect(sent[0]!.body).toEqual({
    ...{ model: "served", prompt: ["a", "b"], max_tokens: 9, stop: ["\n"], temperature: 0.5, seed: 3 },
  });
});

test("passing failures are tried again; Retry-After is obeyed", async () => {
  const done = json({ choices: [{ index: 0, text: "x" }] });
  const drop: Handler = (_, response) => void response.destroy();
  const cut: Handler = (_, response) => {
    response.writeHead(200, { "content-length": 100 });
    response.write('{"choices": [', () => response.destroy());
  };
  const late = status(429, { "retry-after": "1" });
  const { sent, endpoint } = await serve([status(503), drop, cut, late, done]);
  const start = performance.now();
  expect(await endpoint.generate(["a"], { maxTokens: 1 })).toMatchObject([{ text: "x" }]);
  expect(sent).toHaveLength(5);
  expect(performance.now() - start).toBeGreaterThan(990);
});

test("after the last attempt the failure is the caller's; a refusal is at once", async () => {
  const { sent, endpoint } = await serve([status(500)], { attempts: 3 });
  await expect(endpoint.generate(["a"], { maxTokens: 1 })).rejects.toMatchObject({
    code: "ERR_NETWORK",
    message: expect.stringContaining("must answer, got status 500 3 times"),
    hint: expect.stringContaining("goes on"),
  });
  expect(sent).toHaveLength(3);
  const refusing = await serve([status(400)]);
  await expect(refusing.endpoint.countTokens("a")).rejects.toThrow("got status 400: no");
  expect(refusing.sent).toHaveLength(1);
});

test.each([
  [400, "need echo and logprobs"],
  [401, undefined],
  [404, undefined],
])("a request for log-probabilities refused with %i", async (code, hint) => {
  const { endpoint } = await serve([status(code)]);
  const refused = await endpoint.logprobs(BATCH).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "ERR_NETWORK", message: expect.stringContaining(`got status ${code}`) });
  expect((refused as { hint?: string }).hint).toEqual(hint === undefined ? undefined : expect.stringContaining(hint));
});

test.each([
  ["no JSON", (_: Sent, response: ServerResponse) => void response.end("<html>")],
  ["too few choices", json({ choices: [] })],
  ["another text", json({ choices: [{ text: "a dog", logprobs: { token_logprobs: [0], text_offset: [0] } }] })],
] satisfies [string, Handler][])("an unusable answer: %s", async (_, handler) => {
  const { endpoint } = await serve([handler]);
  await expect(endpoint.logprobs(BATCH.slice(0, 1))).rejects.toMatchObject({ code: "ERR_NETWORK" });
});

test("an aborted request rejects with its signal's reason, in a pause, too", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const { endpoint } = await serve([status(503)], { pauseMs: 60_000 });
  setTimeout(() => controller.abort(reason), 50);
  await expect(endpoint.logprobs(BATCH, { signal: controller.signal })).rejects.toBe(reason);
});

test("tokens are counted by the server", async () => {
  const { endpoint } = await serve([json({ usage: { prompt_tokens: 7 } })]);
  expect(await endpoint.countTokens("a text")).toBe(7);
  expect(endpoint.contextLength).toBe(Infinity);
});
