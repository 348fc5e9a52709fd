import { request } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Gemma, LoadOptions } from "../../src/index.js";
import type { GemmaServer } from "../../src/server/index.js";
import type { Listener } from "../../src/server/port/listen.js";
import { builtLibrary } from "./built-library.js";
import { metric } from "./server.js";

const built = (path: string) => import(pathToFileURL(new URL(`../../dist/${path}`, import.meta.url).pathname).href);

/** The built server on a port of this machine, its engine in a worker. */
export class ServedModel {
  private constructor(
    readonly server: GemmaServer,
    readonly listener: Listener,
    /** Those that were loaded, the newest last. */
    readonly models: readonly Gemma[],
  ) {}

  static async start(model: string, options: LoadOptions): Promise<ServedModel> {
    const { Gemma } = await builtLibrary();
    const { createServer } = await built("server/index.js");
    const { listen } = await built("server/port/listen.js");
    const models: Gemma[] = [];
    const load = async () => {
      models.push(await Gemma.load(model, { maxSequences: 64, ...options }));
      return models.at(-1)!;
    };
    const server: GemmaServer = createServer(load, { limits: { concurrentRequests: 80, queueLength: 40 } });
    await server.started;
    return new ServedModel(server, await listen(server.fetch, { host: "127.0.0.1", port: 0 }), models);
  }

  async end(): Promise<void> {
    await this.listener.close(100);
    await this.server.dispose();
  }

  post(body: object): Promise<Response> {
    return fetch(`${this.listener.url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /** Opens a stream; its socket is destroyed at its first data, or after `ms`, whatever comes first. */
  leavingClient(body: object, ms = 20_000): Promise<"data" | "late"> {
    return new Promise((resolve) => {
      const sent = request({
        port: this.listener.port,
        method: "POST",
        path: "/v1/completions",
        headers: { "content-type": "application/json" },
        agent: false,
      });
      let socket: Socket | undefined;
      const leave = (why: "data" | "late") => {
        clearTimeout(timer);
        socket?.destroy();
        resolve(why);
      };
      const timer = setTimeout(() => leave("late"), ms);
      sent.on("socket", (opened: Socket) => {
        socket = opened;
      });
      sent.on("error", () => {});
      sent.on("response", (response) => {
        response.on("error", () => {});
        response.once("data", () => leave("data"));
      });
      sent.end(JSON.stringify(body));
    });
  }

  /** Waits until nothing runs, waits or holds memory. @throws when that takes longer than `ms` */
  async quietWithin(ms: number): Promise<void> {
    const start = performance.now();
    for (;;) {
      const running = await metric(this.server, "gemma_num_requests_running");
      const waiting = await metric(this.server, "gemma_num_requests_waiting");
      const held = await this.heldPages();
      if (running + waiting === 0 && held.length > 0 && held.every((pages) => pages === 0)) return;
      if (performance.now() - start > ms)
        throw new Error(`after ${ms} ms ${running} requests run, ${waiting} wait, pages held: ${held.join(", ")}`);
      await sleep(5);
    }
  }

  /** Pages of each group that requests hold: neither free nor held by remembered prefixes alone. */
  private async heldPages(): Promise<readonly number[]> {
    const { pages } = await this.models.at(-1)!.stats();
    return pages.map(({ total, free, remembered }) => total - free - remembered);
  }
}
