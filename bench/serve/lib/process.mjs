// Servers as child processes. None outlives the benchmark: not its end, not an error, not Ctrl-C.
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";

const READY_MS = 120_000;
const POLL_MS = 20;
const TAIL = 3000;

const alive = new Set();
process.once("exit", () => {
  for (const { child, folder } of alive) {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
]) {
  process.once(signal, () => process.exit(code));
}

/** A port of the loopback address that is free at this moment. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * Starts a server and waits until it is ready.
 *
 * @param side { name, command, args(port), env?, readyPath }, of sides.mjs
 * @returns {{ origin, pid, exited: Promise<{ code, signal }>, output(): string, signal(name), stop(graceMs?) }}
 *     output: the end of what it printed
 */
export async function startServer(side) {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const server = { name: side.name, origin, ...spawnLogged(side, port) };
  await waitUntilReady(server, side.readyPath);
  return server;
}

/** What a server prints goes into a file: reading it here would take time from the measurement. */
function spawnLogged({ command, args, env }, port) {
  const folder = mkdtempSync(join(tmpdir(), "gemma-bench-"));
  const log = openSync(join(folder, "log"), "w+");
  const child = spawn(command, args(port), { stdio: ["ignore", log, log], env: { ...process.env, ...env } });
  closeSync(log);
  const entry = { child, folder };
  alive.add(entry);
  const output = () => readFileSync(join(folder, "log"), "utf8").slice(-TAIL);
  let end = "";
  const exited = new Promise((resolve) => {
    const ended = (code, signal) => {
      end = output();
      alive.delete(entry);
      rmSync(folder, { recursive: true, force: true });
      resolve({ code, signal });
    };
    child.once("exit", ended);
    child.once("error", (error) => ended(error.message, null));
  });
  return {
    pid: child.pid,
    exited,
    output: () => (alive.has(entry) ? output() : end),
    signal: (name) => child.kill(name),
    /** @returns how it ended; by SIGKILL where it did not end in time */
    async stop(graceMs = 10_000) {
      child.kill("SIGTERM");
      const forced = setTimeout(() => child.kill("SIGKILL"), graceMs);
      const how = await exited;
      clearTimeout(forced);
      return how;
    },
  };
}

async function waitUntilReady(server, path) {
  let ended = null;
  server.exited.then((how) => {
    ended = how;
  });
  for (const end = performance.now() + READY_MS; performance.now() < end; await sleep(POLL_MS)) {
    if (ended !== null) throw new Error(`${server.name} ended (${JSON.stringify(ended)}):\n${server.output()}`);
    if ((await statusOf(`${server.origin}${path}`)) === 200) return;
  }
  await server.stop(0);
  throw new Error(`${server.name} was not ready after ${READY_MS / 1000} s:\n${server.output()}`);
}

async function statusOf(url) {
  try {
    const { statusCode, body } = await request(url, { signal: AbortSignal.timeout(5_000) });
    await body.dump();
    return statusCode;
  } catch {
    return null;
  }
}
