// Requests to a server. Nothing is parsed while it is timed.
import { Pool } from "undici";

const REQUEST_MS = 900_000; // a bound, not a measure: the slowest queue that a scenario has is far below

export class Client {
  #pool;

  /**
   * @param connections requests at a time; more wait here, not at the server
   * @param keepsAlive whether a connection takes more than one request; a server may close it just when the next one comes
   */
  constructor(origin, connections, { keepsAlive = true } = {}) {
    const pipelining = keepsAlive ? 1 : 0;
    const settings = { connections, pipelining, headersTimeout: REQUEST_MS, bodyTimeout: REQUEST_MS };
    this.#pool = new Pool(origin, settings);
  }

  /**
   * @returns {{ status, headers, chunks: { atMs, bytes }[], totalMs }} times since the call
   * @throws what undici throws where the connection breaks, or the reason of the aborted signal
   */
  async send(method, path, body, { signal = AbortSignal.timeout(REQUEST_MS), onChunk } = {}) {
    const start = performance.now();
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await this.#pool.request({ path, method, headers, body: text, signal });
    const chunks = [];
    for await (const bytes of response.body) {
      chunks.push({ atMs: performance.now() - start, bytes });
      onChunk?.(chunks.length);
    }
    const totalMs = performance.now() - start;
    return { status: response.statusCode, headers: response.headers, chunks, totalMs };
  }

  post(path, body, options) {
    return this.send("POST", path, body, options);
  }

  async text(path) {
    const answer = await this.send("GET", path);
    if (answer.status !== 200) throw new Error(`GET ${path}: must be 200, got ${answer.status}: ${bodyText(answer)}`);
    return bodyText(answer);
  }

  /** The JSON of a 200. @throws for another status */
  async json(path, body) {
    const answer = await this.post(path, body);
    if (answer.status !== 200) throw new Error(`POST ${path}: must be 200, got ${answer.status}: ${bodyText(answer)}`);
    return JSON.parse(bodyText(answer));
  }

  close() {
    return this.#pool.destroy();
  }
}

export function bodyText({ chunks }) {
  return Buffer.concat(chunks.map(({ bytes }) => bytes)).toString("utf8");
}
