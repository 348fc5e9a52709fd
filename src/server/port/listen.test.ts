import { afterEach, describe, expect, test } from "vitest";
import { RawSocket } from "../../../test/helpers/raw-socket.js";
import { eventually, listener, raw, start, stop } from "../../../test/helpers/trivial-server.js";
import { listen } from "./listen.js";

afterEach(stop);

describe("answers", () => {
  test("a whole answer carries its length, a stream arrives as it is made", async () => {
    const { base } = await start();
    const whole = await fetch(`${base}/x`);
    expect(await whole.json()).toEqual({ path: "/x" });
    expect(whole.headers.get("content-length")).toBe("13");

    const stream = await fetch(`${base}/events`);
    const times: number[] = [];
    let text = "";
    for await (const chunk of stream.body!) {
      times.push(performance.now());
      text += Buffer.from(chunk).toString();
    }
    expect(text).toBe(Array.from({ length: 10 }, (_, n) => `data: ${n}\n\n`).join(""));
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(100);
  });

  test("large answers, bodies of requests, cookies and heads arrive whole", async () => {
    const { base } = await start();
    expect(await (await fetch(`${base}/big`)).text()).toHaveLength(3_000_000);
    const body = "é".repeat(500_000);
    expect(await (await fetch(`${base}/echo`, { method: "POST", body })).text()).toBe(body);
    const cookies = await fetch(`${base}/cookies`);
    expect(cookies.status).toBe(204);
    expect(cookies.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(await (await fetch(`${base}/x`, { method: "HEAD" })).text()).toBe("");
  });

  test("a handler that throws is a 500 that tells nothing; a stream that breaks cuts the connection", async () => {
    const { base } = await start();
    const failed = await fetch(`${base}/throws`);
    expect(failed.status).toBe(500);
    expect(await failed.json()).toEqual({
      error: {
        message: "the server failed; its log says why",
        type: "server_error",
        param: null,
        code: "ERR_INTERNAL",
      },
    });
    const half = await fetch(`${base}/breaks`);
    await expect(half.text()).rejects.toThrow();
    expect((await fetch(`${base}/x`)).status).toBe(200);
  });
});

describe("the end", () => {
  test("drain: answers go on, each closes its connection, idle ones are closed, new ones are served still", async () => {
    const { base } = await start();
    const [idle, streaming] = [await raw(), await raw()];
    idle.request("GET", "/x");
    await idle.until("}");
    streaming.request("GET", "/events");
    await streaming.until("data: 0");
    void listener.drain();
    await idle.end();
    const during = await fetch(`${base}/x`);
    expect(during.headers.get("connection")).toBe("close");
    expect(await streaming.end()).toContain("data: 9\n\n");
    await eventually(() => listener.counts().connections === 0);
  });

  test("drain: requests on their way get their answers, on connections kept alive and on new ones", async () => {
    await start();
    const clients = [await raw(), await raw()];
    clients[0]!.request("GET", "/x");
    await clients[0]!.until("}");
    for (const client of clients) client.request("GET", "/late");
    const drained = listener.drain(); // before anything of these was read
    for (const client of clients) expect(await client.end()).toMatch(/connection: close\r\n.*"path":"\/late"/is);
    await drained;
    expect(listener.counts().connections).toBe(0);
  });

  test("close: accepts nothing more, lets streams end, and says when all is done", async () => {
    await start();
    const streams = await Promise.all(Array.from({ length: 5 }, raw));
    const silent = await raw();
    for (const client of streams) client.request("GET", "/events");
    for (const client of streams) await client.until("data: 0");
    const begun = performance.now();
    const closed = listener.close(5000);
    await expect(RawSocket.open(listener.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    for (const client of streams) expect(await client.end()).toContain("data: 9\n\n");
    await silent.end();
    await closed;
    expect(performance.now() - begun).toBeLessThan(2000);
    await listener.close(0);
  });

  test("close: cuts what is not done in the grace period", async () => {
    const { seen } = await start();
    const [never, flooded] = [await raw(), await raw()];
    never.request("GET", "/never");
    flooded.socket.pause();
    flooded.request("GET", "/flood");
    await eventually(() => listener.counts().responses === 2);
    const begun = performance.now();
    await listener.close(100);
    expect(performance.now() - begun).toBeLessThan(1000);
    await eventually(() => seen.aborted.length === 2);
  });
});

describe("what cannot be listened on", () => {
  test("a port in use", async () => {
    await start();
    const again = listen(() => Promise.reject(), { host: "127.0.0.1", port: listener.port });
    await expect(again).rejects.toMatchObject({
      code: "ERR_IO",
      message: `serve: port ${listener.port} of 127.0.0.1 must be free, got one in use`,
    });
  });

  test("an address of another machine", async () => {
    const elsewhere = listen(() => Promise.reject(), { host: "192.0.2.1", port: 0 });
    await expect(elsewhere).rejects.toThrow("host must be an address of this machine, got 192.0.2.1 (EADDRNOTAVAIL)");
  });
});
