import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { PullProgress } from "../../load/progress.js";
import { type DownloadOptions, download, type PartNote, type RemoteFile } from "./download.js";
import { MemorySink } from "./sink.js";

const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 13) & 255);
const sha256 = createHash("sha256").update(BYTES).digest("hex");

let server: Server;
let url: URL;
/** Ranges that were asked for. */
let asked: (string | undefined)[] = [];
/** Answers in order; behind the last one the file is served as it should be. */
let answers: ((request: IncomingMessage, response: ServerResponse) => void)[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.headers.range);
    (answers.shift() ?? serve())(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x.gguf?token=secret`);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  answers = [];
});

/** Serves a file with range requests. @param cut bytes after which the connection breaks */
function serve({ cut, etag = '"one"', bytes = BYTES }: { cut?: number; etag?: string; bytes?: Uint8Array } = {}) {
  return (request: IncomingMessage, response: ServerResponse) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const range = start > 0 ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {};
    response.writeHead(start > 0 ? 206 : 200, { etag, "content-length": bytes.length - start, ...range });
    if (cut === undefined) return void response.end(bytes.subarray(start));
    response.write(bytes.subarray(start, start + cut));
    setTimeout(() => response.destroy(), 30);
  };
}

const status = (code: number) => (_: IncomingMessage, response: ServerResponse) =>
  void response.writeHead(code).end("no");

function fetchTo(sink: MemorySink, file: Partial<RemoteFile> = {}, options: Partial<DownloadOptions> = {}) {
  const notes: PartNote[] = [];
  const progress: PullProgress[] = [];
  const room: number[] = [];
  const result = download({ url, label: "x.gguf", ...file }, sink, {
    signal: new AbortController().signal,
    onProgress: (event) => progress.push(event),
    keepNote: async (note) => void notes.push(note),
    expectRoom: async (bytes) => void room.push(bytes),
    retryDelayMs: 1,
    ...options,
  });
  return { result, notes, progress, room };
}

describe("a download", () => {
  test("arrives with its hash; room is asked for first, and no secret of the address is noted", async () => {
    const sink = new MemorySink("x");
    const { result, notes, progress, room } = fetchTo(sink, { sha256, sizeBytes: BYTES.length });
    expect(await result).toBe(BYTES.length);
    expect(sink.content).toEqual(BYTES);
    expect(room).toEqual([BYTES.length]);
    expect(notes).toEqual([{ from: `${url.origin}/x.gguf`, validator: '"one"', sizeBytes: BYTES.length }]);
    expect(progress.at(-1)).toMatchObject({ phase: "download", file: "x.gguf", doneBytes: BYTES.length });
  });

  test("goes on behind each cut", async () => {
    answers = [serve({ cut: 100_000 }), serve({ cut: 50_000 })];
    const sink = new MemorySink("x");
    const { result, room } = fetchTo(sink, { sha256 });
    await result;
    expect(sink.content).toEqual(BYTES);
    expect(asked).toEqual([undefined, "bytes=100000-", "bytes=150000-"]);
    expect(room).toEqual([300_000, 200_000, 150_000]);
  });

  test("of an earlier visit goes on, its bytes hashed again", async () => {
    const sink = new MemorySink("x");
    sink.write(BYTES.subarray(0, 120_000), 0);
    const note = { from: `${url.origin}/x.gguf`, validator: '"one"', sizeBytes: BYTES.length };
    const { result, progress } = fetchTo(sink, { sha256 }, { note });
    expect(await result).toBe(BYTES.length);
    expect(asked).toEqual(["bytes=120000-"]);
    expect([...new Set(progress.map(({ phase }) => phase))]).toEqual(["verify", "download"]);
  });

  test("of an earlier visit goes on at once where nobody knows the hash", async () => {
    const sink = new MemorySink("x");
    sink.write(BYTES.subarray(0, 120_000), 0);
    const note = { from: `${url.origin}/x.gguf`, validator: '"one"', sizeBytes: BYTES.length };
    const { result, progress } = fetchTo(sink, {}, { note });
    expect(await result).toBe(BYTES.length);
    expect(sink.content).toEqual(BYTES);
    expect(asked).toEqual(["bytes=120000-"]);
    expect([...new Set(progress.map(({ phase }) => phase))]).toEqual(["download"]);
  });

  test("of an earlier visit whose bytes were changed since is refused", async () => {
    const sink = new MemorySink("x");
    sink.write(new Uint8Array(120_000), 0);
    const note = { from: `${url.origin}/x.gguf`, validator: '"one"', sizeBytes: BYTES.length };
    await expect(fetchTo(sink, { sha256 }, { note }).result).rejects.toMatchObject({ code: "ERR_CHECKSUM" });
    expect(sink.sizeBytes).toBe(0);
  });

  test("that is whole already asks for nothing", async () => {
    const sink = new MemorySink("x");
    sink.write(BYTES, 0);
    const note = { from: `${url.origin}/x.gguf`, validator: '"one"', sizeBytes: BYTES.length };
    await fetchTo(sink, {}, { note }).result;
    expect(asked).toEqual([]);
  });

  test.each([
    ["of another address", { from: "http://elsewhere/x.gguf", validator: '"one"' }],
    ["that nobody vouches for", { from: "same" }],
    ["that is longer than the file", { from: "same", validator: '"one"', sizeBytes: 1000 }],
    ["without a note", undefined],
  ])("begins anew with what is there %s", async (_, given) => {
    const sink = new MemorySink("x");
    sink.write(new Uint8Array(2000), 0);
    const note = given && { ...given, from: given.from === "same" ? `${url.origin}/x.gguf` : given.from };
    await fetchTo(sink, {}, { note }).result;
    expect(sink.content).toEqual(BYTES);
    expect(asked).toEqual([undefined]);
  });

  test("begins anew where the server has another version by now", async () => {
    const other = BYTES.map((byte) => byte ^ 1);
    answers = [serve({ cut: 100_000 }), serve({ etag: '"two"', bytes: other }), serve({ etag: '"two"', bytes: other })];
    const sink = new MemorySink("x");
    await fetchTo(sink).result;
    expect(sink.content).toEqual(other);
    expect(asked).toEqual([undefined, "bytes=100000-", undefined]);
  });

  test("begins anew where the server sends the whole in place of a part", async () => {
    const whole = (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { "content-length": BYTES.length }).end(BYTES);
    };
    answers = [serve({ cut: 100_000 }), whole];
    const sink = new MemorySink("x");
    await fetchTo(sink, { sha256 }).result;
    expect(sink.content).toEqual(BYTES);
  });

  test("with other bytes than those that were promised leaves nothing", async () => {
    answers = [serve({ bytes: BYTES.map((byte) => byte ^ 1) })];
    const sink = new MemorySink("x");
    await expect(fetchTo(sink, { sha256 }).result).rejects.toMatchObject({ code: "ERR_CHECKSUM" });
    expect(sink.sizeBytes).toBe(0);
  });

  test.each([
    ["another size than was promised", { sizeBytes: 5 }, "ERR_NETWORK", 1],
    ["a file that is gone", {}, "ERR_MISSING_FILE", 1, 404],
    ["a page that asks for a login", {}, "ERR_GATED", 1, 401],
    ["a server that fails", {}, "ERR_NETWORK", 3, 500],
  ])("fails for %s", async (_, file, code, requests, answer = 0) => {
    if (answer > 0) answers = Array.from({ length: 9 }, () => status(answer));
    const error = await fetchTo(new MemorySink("x"), file).result.catch((reason) => reason);
    expect(error).toMatchObject({ code });
    expect(error.message).not.toContain("secret");
    expect(asked.length).toBe(requests);
  });

  test("stops when it is told to, with the reason, and keeps what it has", async () => {
    const controller = new AbortController();
    answers = [
      (_, response) => {
        response.writeHead(200, { "content-length": BYTES.length }).write(BYTES.subarray(0, 1000));
      },
    ];
    const sink = new MemorySink("x");
    const { result } = fetchTo(sink, {}, { signal: controller.signal });
    const timer = setInterval(() => {
      if (sink.sizeBytes > 0) controller.abort(new Error("enough"));
    }, 5);
    await expect(result).rejects.toThrow("enough");
    clearInterval(timer);
    expect(sink.content).toEqual(BYTES.subarray(0, 1000));
  });

  test("asks nobody for bytes that have no room", async () => {
    const full = async () => {
      throw Object.assign(new Error("full"), { code: "ERR_DISK_FULL" });
    };
    const sink = new MemorySink("x");
    await expect(fetchTo(sink, {}, { expectRoom: full }).result).rejects.toBeDefined();
    expect(sink.sizeBytes).toBe(0);
  });
});
