import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What a request to the scripted server asked for. */
export interface ScriptedRequest {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly temperature: number;
  readonly top_p: number;
  readonly max_tokens: number;
  readonly seed: number;
  readonly logprobs?: boolean;
}

export interface Script {
  /** Sent one by one. */
  readonly pieces: readonly string[];
  /** Between two of them. Default: 0. */
  readonly pauseMs?: number;
  /** Instead of an answer. */
  readonly failure?: { readonly status: number; readonly message: string };
}

/** A server in OpenAI's form that says what it was told to: for tests of what shows answers, not of answers. */
export async function scriptedModel() {
  const requests: ScriptedRequest[] = [];
  let script: Script = { pieces: ["Hello."] };
  const server = createServer(async (request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "*");
    if (request.method === "OPTIONS") return response.writeHead(204).end();
    if (request.url?.endsWith("/models")) return response.end(JSON.stringify({ data: [{ id: "scripted" }] }));
    let body = "";
    for await (const chunk of request) body += chunk;
    requests.push(JSON.parse(body));
    await answer(response, script, requests.at(-1)!.logprobs === true);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    say(next: Script) {
      script = next;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}

async function answer(response: ServerResponse, { pieces, pauseMs = 0, failure }: Script, wantsLogprobs: boolean) {
  if (failure) {
    response.writeHead(failure.status, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { message: failure.message } }));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (chunk: object) => response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  for (const [i, token] of pieces.entries()) {
    if (response.destroyed) return;
    const others = [
      { token, logprob: Math.log(0.6) },
      { token: " other", logprob: Math.log(0.2) },
    ];
    const logprobs = wantsLogprobs ? { content: [{ token, logprob: Math.log(0.6), top_logprobs: others }] } : null;
    send({ choices: [{ index: 0, delta: { content: token }, logprobs, finish_reason: null }] });
    if (pauseMs > 0 && i < pieces.length - 1) await sleep(pauseMs);
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
  send({ choices: [], usage: { completion_tokens: pieces.length } });
  response.end("data: [DONE]\n\n");
}
