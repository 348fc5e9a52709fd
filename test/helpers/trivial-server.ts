import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { type Listener, type ListenOptions, listen } from "../../src/server/port/listen.js";
import { RawSocket } from "./raw-socket.js";

// A port with a handler that needs no model, and clients for it.

/** What the handler saw of its requests. */
export interface Seen {
  aborted: string[];
  cancelled: number;
  /** Bytes that were asked for by who reads the flood. */
  flood: number;
}

export let listener: Listener;
const raws: RawSocket[] = [];

/** Ends what the functions below have begun. */
export async function stop(): Promise<void> {
  for (const raw of raws.splice(0)) raw.destroy();
  await listener?.close(0);
}

export async function raw(): Promise<RawSocket> {
  const socket = await RawSocket.open(listener.port);
  raws.push(socket);
  return socket;
}

export async function start(options: Partial<ListenOptions> = {}): Promise<{ base: string; seen: Seen }> {
  const seen: Seen = { aborted: [], cancelled: 0, flood: 0 };
  listener = await listen((request) => handle(request, seen), { host: "127.0.0.1", port: 0, ...options });
  return { base: listener.url, seen };
}

async function handle(request: Request, seen: Seen): Promise<Response> {
  const { pathname } = new URL(request.url);
  request.signal.addEventListener("abort", () => seen.aborted.push(pathname));
  switch (pathname) {
    case "/echo":
      return new Response(await request.text(), { headers: { "content-type": "text/plain" } });
    case "/events":
      return new Response(events(request.signal, seen), { headers: { "content-type": "text/event-stream" } });
    case "/flood":
      return new Response(flood(seen));
    case "/big":
      return new Response("x".repeat(3_000_000));
    case "/never":
      return new Promise(() => {});
    case "/throws":
      throw new Error("secret detail");
    case "/breaks":
      return new Response(broken());
    case "/cookies":
      return new Response(null, {
        status: 204,
        headers: [
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
        ],
      });
    default:
      return Response.json({ path: pathname });
  }
}

/** Ten events, 20 ms apart; none behind an abort. */
function events(signal: AbortSignal, seen: Seen): ReadableStream<Uint8Array> {
  let n = 0;
  return new ReadableStream({
    async pull(controller) {
      await sleep(20);
      if (signal.aborted) return;
      controller.enqueue(Buffer.from(`data: ${n}\n\n`));
      if (++n === 10) controller.close();
    },
    cancel: () => void seen.cancelled++,
  });
}

function flood(seen: Seen): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(64 << 10);
  return new ReadableStream({
    pull(controller) {
      seen.flood += chunk.length;
      controller.enqueue(chunk);
    },
    cancel: () => void seen.cancelled++,
  });
}

function broken(): ReadableStream<Uint8Array> {
  let isFirst = true;
  return new ReadableStream({
    async pull(controller) {
      if (!isFirst) throw new Error("secret detail");
      isFirst = false;
      controller.enqueue(Buffer.from("begun"));
      await sleep(20);
    },
  });
}

export async function eventually(holds: () => boolean, timeoutMs = 5000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!holds() && Date.now() < end) await sleep(10);
  expect(holds()).toBe(true);
}
