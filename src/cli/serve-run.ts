import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { fromSystemError, GemmaError } from "../base/errors.js";
import type { Gemma } from "../runtime/gemma.js";
import { openKeys } from "../server/access/open-keys.js";
import { createServer, type GemmaServer } from "../server/index.js";
import { describeOptions, type EffectiveOptions, readOptions } from "../server/options/option-sources.js";
import {
  expectSafeBinding,
  type Reading,
  type ServeOptions,
  type ServerLog,
  type ServerOptions,
  serverPart,
} from "../server/options/options.js";
import { type Listener, listen } from "../server/port/listen.js";
import { createLog } from "../server/telemetry/log.js";
import { fileSink, stderrSink } from "../server/telemetry/log-sink.js";
import type { CliContext } from "./context.js";
import { type Output, surviveClosedPipe } from "./output.js";
import type { ServeFlags } from "./serve.js";
import { loadForServer } from "./serve-load.js";
import { askedToEnd } from "./signals.js";

/** What a server is made of; tests take other parts. */
export interface ServeParts {
  readonly createServer: (load: () => Promise<Gemma>, options: ServerOptions) => GemmaServer;
  readonly load: (signal: AbortSignal) => Promise<Gemma>;
  /** Lines that the log has lost so far. */
  readonly droppedLines: () => number;
  /** Resolves when the server shall end, with the reason. */
  readonly asked: Promise<string>;
}

/** After the grace period: what may take so long still, before the process ends all the same. */
const PATIENCE_MS = 5000;
/** For the last bytes of answers that were ended. */
const FLUSH_MS = 1000;
/** Memory stays flat under load: left to itself V8 lets the garbage of refused requests grow to ten times what lives. */
const HEAP_FLAGS = "--heap-growing-percent=50";

export async function serveCommand(flags: ServeFlags, { output, signal }: CliContext): Promise<void> {
  setFlagsFromString(HEAP_FLAGS);
  const effective = readOptions({ flags: flags.server, env: process.env, file: await configFile(flags.config) });
  const sink = effective.options.logFile === undefined ? stderrSink() : await fileSink(effective.options.logFile);
  const log = createLog({ ...effective.options, level: effective.options.logLevel, sink });
  signal.throwIfAborted(); // a signal that came before this is not lost
  const asked = askedToEnd();
  surviveClosedPipe();
  // Nothing is caught and gone on with: after an error that nobody foresaw, nobody knows what holds. main.ts ends the process.
  process.prependListener("uncaughtException", (err) => log.error({ err }, "unforeseen: the process ends"));
  try {
    await runServer(effective, output, log, {
      ...{ createServer, asked },
      load: (signal) => loadForServer(flags, log, signal),
      droppedLines: () => sink.dropped,
    });
  } finally {
    await sink.close();
    // Whatever is stuck, e.g. a log that nobody reads: the process ends, with the code that main.ts sets.
    setTimeout(() => process.exit(), FLUSH_MS).unref();
  }
}

/** Serves until it is asked to end. The port opens first; the model loads behind it. */
export async function runServer(
  effective: EffectiveOptions,
  output: Output,
  log: ServerLog,
  parts: ServeParts,
): Promise<void> {
  const { options } = effective;
  const { asked } = parts;
  const keys = await openKeys(options.keysFile, log);
  const ending = new AbortController();
  let listener: Listener | undefined;
  let server: GemmaServer | undefined;
  try {
    expectSafeBinding(options, keys !== undefined);
    for (const line of describeOptions(effective)) output.line(line);
    listener = await listen((request) => server!.fetch(request), {
      ...{ host: options.host, port: options.port, log },
      writeMs: options.limits.writeSeconds * 1000,
      maxConnections: options.limits.connections,
    });
    const { url, port } = listener;
    const keyIds = keys?.ring.keys.map(({ id }) => id);
    log.info({ url, config: options, keyIds }, "port open, loading the model");
    let model = "";
    const load = async () => {
      const gemma = await parts.load(ending.signal);
      model = gemma.info.name;
      return gemma;
    };
    const readings = portReadings(listener, parts.droppedLines);
    server = parts.createServer(load, { ...serverPart(options), log, readings, keys: keys?.ring });
    await Promise.race([server.started, asked]);
    if (server.ready) {
      output.line(`listening on ${url}`);
      output.data({ url, port, model, pid: process.pid, keyIds, config: options });
      log.info({ url, model }, "ready");
    }
    const reason = await asked;
    log.info({ reason, graceSeconds: options.graceSeconds }, "ending: requests under way go on");
    await drain(listener, server, options, log);
  } finally {
    ending.abort(new GemmaError("ERR_DISPOSED", "serve: the server ends"));
    keys?.close();
    await listener?.close(FLUSH_MS);
    if (server !== undefined) await inTime(server.dispose(), PATIENCE_MS, "freeing the model", log);
    log.info({}, "ended");
  }
}

function portReadings(listener: Listener, droppedLines: () => number): Reading[] {
  return [
    { name: "gemma_connections", help: "Open connections.", read: () => listener.counts().connections },
    {
      name: "gemma_connections_refused_total",
      help: "Connections that were closed because there were too many.",
      read: () => listener.counts().refused,
    },
    { name: "gemma_log_lines_dropped_total", help: "Lines that the log could not write.", read: droppedLines },
  ];
}

/** While requests under way go on, new ones hear 503, and so does who asks for readiness: the port stays open for that. */
async function drain(
  listener: Listener,
  server: GemmaServer,
  { graceSeconds }: ServeOptions,
  log: ServerLog,
): Promise<void> {
  const graceMs = graceSeconds * 1000;
  const ended = inTime(server.drain(graceMs), graceMs + PATIENCE_MS, "ending requests", log);
  await Promise.all([listener.drain(), ended]);
}

async function inTime(work: Promise<void>, timeoutMs: number, what: string, log: ServerLog): Promise<void> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, "late" as const, { signal: timer.signal }).catch(() => undefined);
  try {
    if ((await Promise.race([work, late])) === "late") log.error({ timeoutMs }, `${what} takes too long: left undone`);
  } finally {
    timer.abort();
  }
}

async function configFile(name: string | undefined): Promise<{ name: string; text: string } | undefined> {
  if (name === undefined) return undefined;
  try {
    return { name, text: await readFile(name, "utf8") };
  } catch (error) {
    throw fromSystemError(error, name);
  }
}
