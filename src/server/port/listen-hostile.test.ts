import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { eventually, listener, raw, start, stop } from "../../../test/helpers/trivial-server.js";

afterEach(stop);

describe("clients that go", () => {
  test("while an answer streams, or before it begins: the request's signal aborts and the stream is cancelled", async () => {
    const { seen } = await start();
    const [streaming, waiting] = [await raw(), await raw()];
    streaming.request("GET", "/events");
    waiting.request("GET", "/never");
    await streaming.until("data: 0");
    streaming.destroy();
    waiting.destroy();
    await eventually(() => seen.aborted.length === 2 && seen.cancelled === 1);
    expect(seen.aborted.sort()).toEqual(["/events", "/never"]);
    await eventually(() => listener.counts().connections === 0);
    expect(listener.counts().responses).toBe(0);
  });

  test("half: who closes the sending side has gone, too", async () => {
    const { seen } = await start();
    const half = await raw();
    half.request("GET", "/never");
    await eventually(() => listener.counts().responses === 1);
    half.socket.end();
    await half.end();
    await eventually(() => seen.aborted.length === 1 && listener.counts().connections === 0);
  });

  test("in the middle of a body", async () => {
    await start();
    const half = await raw();
    half.socket.write("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc");
    await eventually(() => listener.counts().responses === 1);
    half.destroy();
    await eventually(() => listener.counts().responses === 0 && listener.counts().connections === 0);
  });
});

describe("requests that are none", () => {
  const error = (text: string) => JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4)).error;

  test.each([
    ["no HTTP", "hello\r\n\r\n"],
    ["a header without a colon", "GET / HTTP/1.1\r\nHost: localhost\r\nbad\r\n\r\n"],
    ["two lengths", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    [
      "length and chunks",
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a chunk of no size", "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ["no Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"],
    ["a Host that is none", "GET / HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n"],
    ["a backslash in the path", "GET /a\\b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"],
  ])("%s: 400 in the form of all errors", async (_, bytes) => {
    await start();
    const client = await raw();
    client.socket.write(bytes);
    const text = await client.end();
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(error(text)).toMatchObject({ type: "invalid_request_error", param: null, code: "ERR_BAD_REQUEST" });
  });

  test("a head of 1 MB: 431, which its sender can read", async () => {
    await start();
    const client = await raw();
    client.socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(1 << 20)}\r\n\r\n`);
    const text = await client.end();
    expect(text).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    expect(error(text).message).toBe("headers: must have at most 16384 bytes, got more");
  });

  test("what follows a whole request that is still answered: its answer is not taken for that one's", async () => {
    const { seen } = await start();
    const client = await raw();
    client.request("GET", "/never");
    await eventually(() => listener.counts().responses === 1);
    client.socket.write("garbage\r\n\r\n");
    expect(await client.end()).toBe("");
    await eventually(() => seen.aborted.length === 1);
  });
});

describe("slow clients", () => {
  test("200 that send their heads a byte at a time: others are answered, and all get 408 in time", async () => {
    const { base } = await start({ headersMs: 600 });
    const slow = await Promise.all(Array.from({ length: 200 }, raw));
    const begun = performance.now();
    const dripping = setInterval(() => {
      for (const { socket } of slow) if (socket.writable) socket.write("X");
    }, 50);
    for (const { socket } of slow) socket.write("GET / HTTP/1.1\r\nX: ");
    await eventually(() => listener.counts().connections === 200);
    expect((await fetch(`${base}/x`, { headers: { connection: "close" } })).status).toBe(200);
    for (const client of slow) expect(await client.end()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    clearInterval(dripping);
    expect(performance.now() - begun).toBeLessThan(6000);
    await eventually(() => listener.counts().connections === 0);
  });

  test("one that says nothing, and one that stops in its body", async () => {
    await start({ headersMs: 300, requestMs: 500 });
    const [silent, stopped] = [await raw(), await raw()];
    stopped.socket.write("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc");
    for (const client of [silent, stopped]) expect(await client.end()).toMatch(/^HTTP\/1\.1 408 /);
    await eventually(() => listener.counts().responses === 0);
  });

  test("one that never reads: little is made for it, and it is cut off", async () => {
    const { base, seen } = await start({ writeMs: 300 });
    const client = await raw();
    client.socket.pause();
    client.request("GET", "/flood");
    await eventually(() => seen.flood > 0);
    await sleep(150);
    const made = seen.flood;
    await sleep(100);
    expect(seen.flood).toBe(made); // nothing more while the pipe is full
    expect(made).toBeLessThan(16 << 20); // what the system's own buffers hold, and a slice
    await eventually(() => seen.cancelled === 1 && seen.aborted.length === 1);
    expect(seen.aborted).toEqual(["/flood"]);
    expect((await fetch(`${base}/x`)).status).toBe(200);
    await eventually(() => listener.counts().responses === 0);
  });

  test("one that never reads answers that are there whole", async () => {
    const { seen } = await start({ writeMs: 200 });
    const client = await raw();
    client.socket.pause();
    for (let i = 0; i < 8; i++) client.request("GET", "/big"); // more than the system takes
    await eventually(() => listener.counts().responses > 0);
    await eventually(() => listener.counts().connections === 0 && seen.aborted.length > 0);
    await eventually(() => listener.counts().responses === 0);
    expect(seen.aborted.length).toBe(1);
  });

  test("requests behind a request are answered in turn, one at a time; too many close the connection", async () => {
    const { seen } = await start();
    const client = await raw();
    for (const path of ["/a", "/events", "/b"]) client.request("GET", path);
    await client.until("data: 0");
    expect(listener.counts().responses).toBe(1);
    const text = await client.until("/b");
    expect(text.indexOf("/a")).toBeLessThan(text.indexOf("data: 0"));
    expect(text.indexOf("data: 9")).toBeLessThan(text.indexOf("/b"));

    const greedy = await raw();
    for (let i = 0; i < 100; i++) greedy.request("GET", "/never");
    await greedy.end();
    await eventually(() => listener.counts().responses === 0);
    expect(seen.aborted).toEqual(["/never"]);
  });

  test("a connection without a request is closed", async () => {
    await start({ keepAliveMs: 100 });
    const client = await raw();
    client.request("GET", "/x");
    expect(await client.end()).toContain('{"path":"/x"}');
  });

  test("more connections than allowed are closed at once", async () => {
    await start({ maxConnections: 2 });
    const [first, second] = [await raw(), await raw()];
    await eventually(() => listener.counts().connections === 2);
    const third = connect(listener.port, "127.0.0.1").on("error", () => {});
    await once(third, "close");
    expect(listener.counts().refused).toBe(1);
    for (const client of [first, second]) {
      client.request("GET", "/x");
      expect(await client.until("}")).toContain("200 OK");
    }
  });
});
