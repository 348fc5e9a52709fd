import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { GemmaError } from "../../base/errors.js";
import type { ServerLog } from "../options/options.js";
import { Connections } from "./connections.js";
import { errorResponse, MAX_HEADER_BYTES, refusal } from "./refusals.js";
import { ReaderGone, send } from "./send.js";

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Time for a request's head. Default: 10 s. */
  readonly headersMs?: number;
  /** Time for a whole request. Default: 120 s. */
  readonly requestMs?: number;
  /** A connection without a request is closed then. Default: 15 s. */
  readonly keepAliveMs?: number;
  /** A reader that takes nothing for so long is cut off. Default: 30 s. */
  readonly writeMs?: number;
  /** Open connections; more are closed at once. Default: 1024. */
  readonly maxConnections?: number;
  readonly log?: ServerLog | undefined;
}

/** An open port. */
export interface Listener {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly port: number;
  /** Open connections, answers under way, and connections that were one too many since the start. */
  counts(): { connections: number; responses: number; refused: number };
  /** From now on every answer closes its connection; new ones are accepted still. Resolves when idle ones are closed. */
  drain(): Promise<void>;
  /** Accepts nothing any more, waits for the answers under way, and cuts those that are not done in `graceMs`. Idempotent. */
  close(graceMs: number): Promise<void>;
}

type Fetch = (request: Request) => Promise<Response>;

const CHECK_MS = 1000;
/** After an error's answer: time to read it, while what still arrives is thrown away. */
const LINGER_MS = 1000;

/**
 * Opens a port and answers its requests with `fetch`. A request's signal aborts when its client goes.
 * @throws ERR_IO `serve: port 8080 of 127.0.0.1 must be free, got one in use`
 */
export async function listen(fetch: Fetch, options: ListenOptions): Promise<Listener> {
  const { log, headersMs = 10_000, requestMs = 120_000 } = options;
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: options.keepAliveMs ?? 15_000,
    connectionsCheckingInterval: Math.min(CHECK_MS, headersMs),
    requireHostHeader: false, // refused by the listener, in the form of all errors
    keepAlive: true, // finds peers that went without a word
    keepAliveInitialDelay: 60_000,
  });
  server.maxConnections = options.maxConnections ?? 1024;
  const refused = new WeakSet<Socket>();
  const answer = requestListener(fetch, options, refused);
  const connections = new Connections(server, (incoming, outgoing) => void answer(incoming, outgoing));
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (refused.has(socket)) return;
    refused.add(socket);
    const current = connections.current(socket);
    // What is wrong behind a whole request is no part of it, and its answer must not be taken for it.
    const isUnclear = current !== undefined && (current.headersSent || current.req.complete);
    if (error.code === "ECONNRESET" || !socket.writable || isUnclear) {
      socket.destroy();
      return;
    }
    socket.end(refusal(error.code));
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  });

  await open(server, options);
  // Of single connections from here on, e.g. one too many for the system's table of files.
  server.on("error", (error) => log?.error({ err: error }, "a connection was not accepted"));
  const { port } = server.address() as AddressInfo;
  const name = options.host.includes(":") ? `[${bare(options.host)}]` : options.host;
  let closing: Promise<void> | undefined;
  return {
    url: `http://${name}:${port}`,
    port,
    counts: () => connections.counts(),
    drain: () => connections.drain(),
    close: (graceMs) => (closing ??= close(server, connections, graceMs)),
  };
}

/** @param refused  connections that have an error's answer already */
function requestListener(fetch: Fetch, { log, writeMs = 30_000 }: ListenOptions, refused: WeakSet<Socket>) {
  return getRequestListener(
    async (request, env) => {
      const { outgoing } = env as HttpBindings;
      const response = await fetchSafely(request);
      if (refused.has(outgoing.req.socket)) await response.body?.cancel().catch(() => {});
      else await send(response, outgoing, writeMs).catch((error: unknown) => noteBroken(error, outgoing));
      return RESPONSE_ALREADY_SENT;
    },
    {
      overrideGlobalObjects: false,
      // Only for a request that never came to be: a bad Host or target.
      errorHandler: (error) => errorResponse(400, "ERR_BAD_REQUEST", `request: ${(error as Error).message}`),
    },
  );

  async function fetchSafely(request: Request): Promise<Response> {
    try {
      return await fetch(request);
    } catch (error) {
      if (!request.signal.aborted) log?.error({ err: error }, "a request failed");
      return errorResponse(500, "ERR_INTERNAL", "the server failed; its log says why");
    }
  }

  function noteBroken(error: unknown, { req }: ServerResponse): void {
    const { url } = req;
    if (error instanceof ReaderGone) log?.debug({ url, reason: error.message }, "an answer was not read to its end");
    else log?.error({ url, err: error }, "an answer broke off");
  }
}

async function close(server: Server, connections: Connections, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  void connections.drain();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}

function open(server: Server, { host, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(listenError(error, host, port));
    server.once("error", fail);
    server.listen({ host: bare(host), port }, () => {
      server.off("error", fail);
      resolve();
    });
  });
}

/** `[::1]` -> `::1` */
function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): GemmaError {
  const [message, hint] =
    error.code === "EADDRINUSE"
      ? [
          `port ${port} of ${host} must be free, got one in use`,
          "end what listens there, or choose another with --port",
        ]
      : error.code === "EACCES"
        ? [
            `port ${port} must be one that this user may open, got permission denied`,
            "choose one above 1023 with --port",
          ]
        : [
            `host must be an address of this machine, got ${host} (${error.code})`,
            "try --host 127.0.0.1, or 0.0.0.0 for all",
          ];
  return new GemmaError("ERR_IO", `serve: ${message}`, { hint, cause: error });
}
