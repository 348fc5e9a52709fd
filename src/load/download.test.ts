import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serveFile, startServer, type TestServer, testNet } from "../../test/helpers/https-server.js";
import { type DownloadOptions, downloadFile } from "./download.js";
import type { Net } from "./net.js";
import { expectFreeSpace } from "./partial.js";
import type { PullProgress } from "./progress.js";

const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const sha256 = createHash("sha256").update(bytes).digest("hex");

let folder: string;
let dest: string;
let server: TestServer | undefined;
let net: Net;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gemma-download-"));
  dest = join(folder, "model.gguf");
  net = testNet();
});

afterEach(async () => {
  await net.close();
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

function fetchIt(options: Partial<DownloadOptions> = {}) {
  const url = new URL(`https://hub.example:${server!.port}/model.gguf?signature=secret`);
  return downloadFile(net, url, dest, { allowHost: () => true, retryDelayMs: 5, ...options });
}

test("a whole file arrives with its hash, and nothing else is left but the note of its arrival", async () => {
  server = await startServer(serveFile(bytes));
  const events: PullProgress[] = [];
  const file = await fetchIt({ onProgress: (event) => events.push(event) });
  expect(file).toEqual({ sizeBytes: bytes.length, sha256 });
  expect(await readFile(dest)).toEqual(Buffer.from(bytes));
  expect((await readdir(folder)).sort()).toEqual(["model.gguf", "model.gguf.done.json"]);
  expect(events.at(-1)).toMatchObject({ phase: "download", doneBytes: bytes.length, totalBytes: bytes.length });
  expect(events.at(-1)!.file).toBe("model.gguf");
  await fetchIt();
  expect(server.seen.length).toBe(1); // what has arrived is not fetched again
});

test.each([1, 65_536, 150_000, 299_999])("a cut after %i bytes is mended within the call", async (cut) => {
  server = await startServer(serveFile(bytes, { cuts: [cut] }));
  expect((await fetchIt({ sha256 })).sha256).toBe(sha256);
  expect(server.seen.map((req) => req.headers.range)).toEqual([undefined, `bytes=${cut}-`]);
  expect(server.seen[1]!.headers["if-range"]).toBe('"v1"');
});

test("many cuts in a row are mended as long as each attempt brings something", async () => {
  server = await startServer(serveFile(bytes, { cuts: Array.from({ length: 12 }, (_, i) => (i + 1) * 20_000) }));
  expect((await fetchIt()).sha256).toBe(sha256);
});

test("a part that an earlier process left is continued, and hashed from its first byte", async () => {
  server = await startServer(serveFile(bytes));
  const from = `https://hub.example:${server.port}/model.gguf`;
  await writeFile(`${dest}.part`, bytes.subarray(0, 100_000));
  await writeFile(`${dest}.part.json`, JSON.stringify({ from, validator: '"v1"', sizeBytes: bytes.length }));
  expect((await fetchIt({ sha256 })).sha256).toBe(sha256);
  expect(server.seen.map((req) => req.headers.range)).toEqual(["bytes=100000-"]);
});

test("a part is begun anew when the file has changed at the server, has no note, or is of another address", async () => {
  server = await startServer(serveFile(bytes, { etag: '"v2"' }));
  const from = `https://hub.example:${server.port}/model.gguf`;
  const notes = [
    JSON.stringify({ from, validator: '"v1"', sizeBytes: bytes.length }),
    "not json",
    JSON.stringify({ from: "https://hub.example/other.gguf", validator: '"v2"' }),
    JSON.stringify({ from, validator: '"v2"', sizeBytes: 10 }), // smaller than the part
  ];
  for (const note of notes) {
    await rm(dest, { force: true });
    await writeFile(`${dest}.part`, new Uint8Array(1000).fill(9));
    await writeFile(`${dest}.part.json`, note);
    expect((await fetchIt()).sha256).toBe(sha256);
  }
});

test("a server that ignores Range, or answers with another range, gets a fresh start", async () => {
  let requests = 0;
  server = await startServer((_req, res) => {
    requests++;
    if (requests === 1) serveFile(bytes, { cuts: [1000] })(_req, res);
    else if (requests === 2) {
      res.writeHead(206, { "content-range": `bytes 5-${bytes.length - 1}/${bytes.length}` }).end(bytes.subarray(5));
    } else res.writeHead(200, { "content-length": bytes.length }).end(bytes);
  });
  expect((await fetchIt()).sha256).toBe(sha256);
  expect(requests).toBe(3);
});

test("a wrong hash is ERR_CHECKSUM, and neither the file nor the part stays", async () => {
  server = await startServer(serveFile(bytes));
  await expect(fetchIt({ sha256: "0".repeat(64) })).rejects.toMatchObject({ code: "ERR_CHECKSUM" });
  expect(await readdir(folder)).toEqual([]);
});

test("a server that offers another size, or sends more than it said, is refused", async () => {
  server = await startServer((_req, res) => void res.writeHead(200).end(bytes)); // chunked: no size announced
  await expect(fetchIt({ sizeBytes: 1000 })).rejects.toMatchObject({ code: "ERR_NETWORK" });
  await server.close();
  server = await startServer(serveFile(bytes));
  await expect(fetchIt({ sizeBytes: 1000 })).rejects.toThrow("must have 1000 bytes, got 300000");
});

test("errors of the server are tried again; what it refuses is not", async () => {
  let requests = 0;
  server = await startServer((req, res) => {
    if (++requests < 3) res.writeHead(503).end();
    else serveFile(bytes)(req, res);
  });
  expect((await fetchIt()).sha256).toBe(sha256);
  await server.close();

  server = await startServer((_req, res) => void res.writeHead(404).end());
  await expect(fetchIt({ sizeBytes: 5 })).rejects.toMatchObject({ code: "ERR_MISSING_FILE" });
  expect(server.seen.length).toBe(1);
  await server.close();

  server = await startServer((_req, res) => void res.writeHead(500).end());
  await expect(fetchIt({ sizeBytes: 5 })).rejects.toThrow(/got HTTP status 500$/);
  expect(server.seen.length).toBe(3);
});

test("a server that falls silent is cut, and asked for the rest", async () => {
  await net.close();
  net = testNet({ stallMs: 300 });
  server = await startServer((req, res) => {
    if (req.headers.range !== undefined) {
      serveFile(bytes)(req, res);
      return;
    }
    res.writeHead(200, { etag: '"v1"', "content-length": bytes.length });
    res.write(bytes.subarray(0, 5000));
  });
  expect((await fetchIt()).sha256).toBe(sha256);
  expect(server.seen[1]!.headers.range).toBe("bytes=5000-");
});

test("an abort rejects with its reason and leaves a part that the next call continues", async () => {
  server = await startServer((req, res) => {
    if (req.headers.range !== undefined) {
      serveFile(bytes)(req, res);
      return;
    }
    res.writeHead(200, { etag: '"v1"', "content-length": bytes.length });
    res.write(bytes.subarray(0, 50_000));
  });
  const controller = new AbortController();
  const failed = fetchIt({
    signal: controller.signal,
    onProgress: () => setTimeout(() => controller.abort("stop it"), 50),
  });
  await expect(failed).rejects.toBe("stop it");
  expect(await readdir(folder)).toContain("model.gguf.part");
  expect((await fetchIt({ sha256 })).sha256).toBe(sha256);
  expect(server.seen[1]!.headers.range).toBe("bytes=50000-");
});

describe("a full disk", () => {
  test("is told before the download", async () => {
    await expect(expectFreeSpace(folder, 2 ** 60)).rejects.toMatchObject({ code: "ERR_DISK_FULL" });
    await expectFreeSpace(folder, 1);
  });

  test("is told by the write too, when the device has no space", async ({ skip }) => {
    const full = await writeFile("/dev/full", "x").then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    skip(full !== "ENOSPC", "this system has no /dev/full");
    const { fromSystemError } = await import("../base/errors.js");
    const error = await writeFile("/dev/full", "x").catch((reason: unknown) => fromSystemError(reason, dest));
    expect(error).toMatchObject({ code: "ERR_DISK_FULL" });
  });
});
