import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { serveFile, startServer, type TestServer } from "../../test/helpers/https-server.js";
import { transpile } from "../../test/helpers/transpile.js";

const gguf = Buffer.concat([Buffer.from("GGUF"), Buffer.alloc(400_000, 7)]);
const sha256 = createHash("sha256").update(gguf).digest("hex");
const certificate = fileURLToPath(new URL("../../test/fixtures/load/tls-cert.pem", import.meta.url));

let code: string;
let script: string;
let home: string;
let server: TestServer;
let answer: (req: IncomingMessage, res: ServerResponse) => void;

beforeAll(async () => {
  code = transpile(["base", "format", "load"]);
  script = join(code, "pull-once.js");
  await writeFile(
    script,
    `import { createNet } from "./load/net.js";
     import { resolveModel } from "./load/pull.js";
     const net = (env) => createNet({ env, resolver: async () => ["127.0.0.1"], isAllowedAddress: (a) => a === "127.0.0.1" });
     const say = (value) => console.log(JSON.stringify(value));
     const options = { onNotice: (notice) => say({ notice }), onProgress: ({ phase }) => say({ phase }) };
     say(await resolveModel(process.argv[2], options, { net }));`,
  );
});

afterAll(() => rm(code, { recursive: true }));

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "gemma-processes-"));
  server = await startServer((req, res) => answer(req, res));
});

afterEach(async () => {
  await server.close();
  await rm(home, { recursive: true });
});

function startPull(): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const url = `https://hub.example:${server.port}/m.gguf#sha256=${sha256}`;
  const env = { ...process.env, GEMMA_HOME: home, SSL_CERT_FILE: certificate, NO_PROXY: "*" };
  const child = spawn(process.execPath, [script, url], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  return { child, output: () => output, ended: once(child, "close").then(([status]) => status as number | null) };
}

test("two processes ask for one model: one downloads, the other waits and uses it", async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  answer = (req, res) => void released.then(() => serveFile(gguf)(req, res));
  const pulls = [startPull(), startPull()];
  const isWaiting = () => pulls.some((pull) => pull.output().includes("waiting for another download"));
  while (!isWaiting()) await sleep(20);
  release();
  expect(await Promise.all(pulls.map((pull) => pull.ended)), pulls.map((pull) => pull.output()).join()).toEqual([0, 0]);
  expect(server.seen.length).toBe(1);
  const waiters = pulls.filter((pull) => pull.output().includes('{"phase":"wait"}'));
  expect(waiters.length).toBe(1);
  const results = pulls.map((pull) => JSON.parse(pull.output().trim().split("\n").at(-1)!) as { path: string });
  expect(results[0]).toEqual(results[1]);
  expect(await readFile(results[0]!.path)).toEqual(gguf);
});

test("after kill -9 in the middle nothing stands under the final name, and the next pull goes on", async () => {
  answer = (req, res) => {
    if (req.headers.range !== undefined) {
      serveFile(gguf)(req, res);
      return;
    }
    res.writeHead(200, { etag: '"v1"', "content-length": gguf.length });
    res.write(gguf.subarray(0, 150_000)); // and then nothing, until the process is killed
  };
  const first = startPull();
  const partSize = async () => {
    const names = await readdir(home, { recursive: true });
    const part = names.find((name) => name.endsWith(".part"));
    return part === undefined ? 0 : (await stat(join(home, part))).size;
  };
  while ((await partSize()) < 150_000) await sleep(20);
  first.child.kill("SIGKILL");
  await first.ended;
  expect((await readdir(home, { recursive: true })).filter((name) => name.endsWith(".gguf"))).toEqual([]);

  const second = startPull();
  expect(await second.ended, second.output()).toBe(0);
  expect(server.seen.map((req) => req.headers.range)).toEqual([undefined, "bytes=150000-"]);
  const { path } = JSON.parse(second.output().trim().split("\n").at(-1)!) as { path: string };
  expect(await readFile(path)).toEqual(gguf);
});
