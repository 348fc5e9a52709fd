import { Gemma, type LoadOptions } from "../../src/runtime/gemma.js";
import { createServer, type GemmaServer, type ServerOptions } from "../../src/server/index.js";
import { TINY } from "./tiny-models.js";

const SETTINGS: LoadOptions = { backend: "reference", activations: "f32", inProcess: true, contextLength: 256 };

/** A tiny model with random weights, in this thread. */
export function loadTiny(options: LoadOptions = {}): Promise<Gemma> {
  return Gemma.load(TINY.gemma3, { ...SETTINGS, ...options });
}

/** A server of a tiny model, loaded and ready. */
export async function tinyServer(options: ServerOptions = {}, load: LoadOptions = {}): Promise<GemmaServer> {
  const server = createServer(() => loadTiny(load), options);
  await server.started;
  return server;
}

export interface Posted {
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Posts JSON to a server's fetch handler. */
export function post(server: GemmaServer, path: string, body: unknown, options: Posted = {}): Promise<Response> {
  const { signal, headers = {} } = options;
  return server.fetch(
    new Request(`http://localhost${path}`, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
      ...(signal ? { signal } : {}),
    }),
  );
}

export function get(
  server: GemmaServer,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return server.fetch(new Request(`http://localhost${path}`, { headers }));
}

// biome-ignore lint/suspicious/noExplicitAny: events of several APIs, whose parts each test names
type Event = any;

/** The data of the server-sent events of a response, parsed; `[DONE]` as it is. */
export async function eventsOf(response: Response): Promise<Event[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.replace(/^(?:event: .*\n)?data: /, ""))
    .map((data) => (data === "[DONE]" ? data : JSON.parse(data)));
}

/** One sample of a server's metrics; `name{labels}` as it is written. */
export async function metric(server: GemmaServer, name: string): Promise<number> {
  const text = await (await get(server, "/metrics")).text();
  const line = text.split("\n").find((one) => one.startsWith(`${name}{`) || one.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(" ") + 1));
}

/** A server's handler as clients take a `fetch`: no port, and the client's signal reaches the server. */
export function fetchOf(server: GemmaServer): typeof fetch {
  return (input, init) => server.fetch(new Request(input, init));
}

/** Waits for a metric to become what is wanted, two seconds at most. */
export async function settles(server: GemmaServer, name: string, wanted: number): Promise<void> {
  const end = performance.now() + 2000;
  while ((await metric(server, name)) !== wanted) {
    if (performance.now() > end) throw new Error(`${name} is ${await metric(server, name)}, not ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** As if the engine's worker had ended by itself. */
export function crash(gemma: Gemma): void {
  const { link } = gemma as unknown as { link: { close(why: string): void } };
  link.close("the engine's worker has ended");
}
