import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sinks } from "../../test/helpers/sink.js";
import { eventually } from "../../test/helpers/trivial-server.js";
import { GemmaError } from "../base/errors.js";
import type { Gemma } from "../runtime/gemma.js";
import { addKey } from "../server/access/keys-file.js";
import type { GemmaServer } from "../server/index.js";
import { readOptions } from "../server/options/option-sources.js";
import type { ServerOptions } from "../server/options/options.js";
import { listen } from "../server/port/listen.js";
import { createOutput } from "./output.js";
import { runServer } from "./serve-run.js";

const MODEL = { info: { name: "tiny" } } as Gemma;
let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "gemma-serve-"));
  process.env.GEMMA_HOME = home;
});
afterEach(() => {
  delete process.env.GEMMA_HOME;
  rmSync(home, { recursive: true, force: true });
});

/** What createServer promises, without a model: /ready, /work?ms=…, and a record of what was called. */
class FakeServer implements GemmaServer {
  readonly started: Promise<void>;
  ready = false;
  calls: string[] = [];
  private isDraining = false;
  private readonly running = new Set<AbortController>();

  constructor(
    load: () => Promise<Gemma>,
    readonly options: ServerOptions,
  ) {
    this.started = load().then(() => {
      this.ready = true;
    });
    this.started.catch(() => this.calls.push("load failed"));
  }

  fetch = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/ready") return new Response(null, { status: this.ready && !this.isDraining ? 200 : 503 });
    if (this.isDraining) return new Response(null, { status: 503 });
    const cut = new AbortController();
    this.running.add(cut);
    const done = await sleep(Number(searchParams.get("ms")), "whole", { signal: cut.signal }).catch(() => "cut");
    this.running.delete(cut);
    return new Response(done);
  };

  drain = async (graceMs: number): Promise<void> => {
    this.calls.push("drain");
    this.isDraining = true;
    const end = Date.now() + graceMs;
    while (this.running.size > 0 && Date.now() < end) await sleep(5);
    for (const cut of this.running) cut.abort();
  };

  dispose = async (): Promise<void> => {
    this.calls.push("dispose");
    this.ready = false;
  };
}

/** A server that runs, with the ends of all its strings. */
function start(flags: Record<string, string | boolean | string[]> = {}, json = false) {
  const streams = sinks();
  const lines: Record<string, unknown>[] = [];
  const note = (fields: object, msg: string) => void lines.push({ ...fields, msg });
  const log = { debug: note, info: note, warn: note, error: note };
  let server: FakeServer | undefined;
  let end = (_: string) => {};
  let finishLoad = (_: Gemma | Promise<never>) => {};
  let loadSignal: AbortSignal | undefined;
  const loading = new Promise<Gemma>((resolve) => {
    finishLoad = resolve;
  });
  const asked = new Promise<string>((resolve) => {
    end = resolve;
  });
  const done = runServer(readOptions({ flags: { port: "0", ...flags } }), createOutput(json, streams), log, {
    createServer: (load, options) => {
      server = new FakeServer(load, options);
      return server;
    },
    load: (signal) => {
      loadSignal = signal;
      return loading;
    },
    asked,
    droppedLines: () => 0,
  });
  done.catch(() => {});
  const opened = async () => {
    await eventually(() => lines.some(({ url }) => url !== undefined));
    return lines.find(({ url }) => url !== undefined)!.url as string;
  };
  return { streams, lines, done, opened, end, finishLoad, server: () => server!, loadSignal: () => loadSignal! };
}

test("serve: the port opens first, the model loads behind it, then one line says where", async () => {
  const run = start();
  const url = await run.opened();
  expect((await fetch(`${url}/ready`)).status).toBe(503);
  expect(run.streams.stdout.text).not.toContain("listening");
  run.finishLoad(MODEL);
  await eventually(() => run.streams.stdout.text.includes("listening"));
  expect((await fetch(`${url}/ready`)).status).toBe(200);
  const printed = run.streams.stdout.text.trimEnd().split("\n");
  expect(printed[0]).toMatch(/^server: host=127\.0\.0\.1 port=0 \(flag\) /);
  expect(printed.at(-1)).toBe(`listening on ${url}`);
  run.end("SIGTERM");
  await run.done;
  expect(run.server().calls).toEqual(["drain", "dispose"]);
  await expect(fetch(url)).rejects.toThrow();
});

test("serve: with --json one object", async () => {
  const { text, stored } = await addKey(join(home, "server-keys.json"), "ci");
  const run = start({ aliases: ["g"] }, true);
  const url = await run.opened();
  run.finishLoad(MODEL);
  await eventually(() => run.streams.stdout.text !== "");
  run.end("SIGINT");
  await run.done;
  expect(JSON.parse(run.streams.stdout.text)).toMatchObject({
    ...{ url, port: Number(new URL(url).port), model: "tiny", pid: process.pid, keyIds: [stored.id] },
    config: { host: "127.0.0.1", aliases: ["g"], limits: { choices: 16 } },
  });
  for (const secret of [stored.hash, text]) {
    expect(run.streams.stdout.text + JSON.stringify(run.lines)).not.toContain(secret);
  }
});

test("serve: asked to end, requests under way finish and new ones hear 503", async () => {
  const run = start();
  const url = await run.opened();
  run.finishLoad(MODEL);
  const working = fetch(`${url}/work?ms=300`);
  await sleep(50);
  run.end("SIGTERM");
  await eventually(() => run.server().calls.includes("drain"));
  expect((await fetch(`${url}/ready`)).status).toBe(503);
  expect((await fetch(`${url}/work?ms=1`)).status).toBe(503);
  expect(await (await working).text()).toBe("whole");
  await run.done;
});

test("serve: what is not done within the grace period is ended, and its answer arrives still", async () => {
  const run = start({ graceSeconds: "0.1" });
  const url = await run.opened();
  run.finishLoad(MODEL);
  const working = fetch(`${url}/work?ms=60000`);
  await sleep(50);
  const begun = performance.now();
  run.end("SIGTERM");
  expect(await (await working).text()).toBe("cut");
  await run.done;
  expect(performance.now() - begun).toBeLessThan(2000);
});

test("serve: asked to end while the model loads, the load is given up", async () => {
  const run = start();
  await run.opened();
  run.end("SIGTERM");
  await run.done;
  expect(run.loadSignal().aborted).toBe(true);
  expect(run.streams.stdout.text).not.toContain("listening");
});

test("serve: a model that does not load ends the server with the reason", async () => {
  const run = start();
  const url = await run.opened();
  run.finishLoad(Promise.reject(new GemmaError("ERR_UNKNOWN_MODEL", "no such model")));
  await expect(run.done).rejects.toMatchObject({ code: "ERR_UNKNOWN_MODEL" });
  expect(run.server().calls).toEqual(["load failed", "dispose"]);
  await expect(fetch(url)).rejects.toThrow();
});

test("serve: a port in use is told before anything is loaded", async () => {
  const other = await listen(async () => new Response(), { host: "127.0.0.1", port: 0 });
  const run = start({ port: String(other.port) });
  await expect(run.done).rejects.toThrow(`port ${other.port} of 127.0.0.1 must be free`);
  expect(run.server()).toBeUndefined();
  await other.close(0);
});

test("serve: an address beyond this machine needs keys or a word", async () => {
  await expect(start({ host: "0.0.0.0" }).done).rejects.toMatchObject({ code: "ERR_USAGE" });
  const insecure = start({ host: "0.0.0.0", insecureNoKey: true });
  await insecure.opened();
  insecure.end("SIGTERM");
  await insecure.done;
  await addKey(join(home, "server-keys.json"), "ci");
  const keyed = start({ host: "0.0.0.0" });
  await keyed.opened();
  expect(keyed.server().options.keys?.keys).toHaveLength(1);
  keyed.end("SIGTERM");
  await keyed.done;
});
