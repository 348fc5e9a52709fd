// HTTP by hand: what no client library would send.
import { connect } from "node:net";

/** The bytes of a request. `headers` come behind the usual ones and may contradict them. */
export function requestText(method, path, body = "", headers = {}) {
  const usual = { Host: "127.0.0.1", "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  const lines = Object.entries({ ...usual, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
}

/**
 * One connection. It reads what comes; without `reads` nothing, until `read()`.
 *
 * @returns {{ socket, read(), text(): string, closed: Promise<void>, status(withinMs): Promise<string> }}
 */
export function open(port, { reads = true } = {}) {
  const socket = connect({ port, host: "127.0.0.1" });
  const chunks = [];
  let hear = () => {};
  const read = () =>
    socket.on("data", (bytes) => {
      chunks.push(bytes);
      hear();
    });
  if (reads) read();
  socket.on("error", () => {}); // "close" follows
  const closed = new Promise((resolve) => socket.once("close", () => resolve()));
  const text = () => Buffer.concat(chunks).toString("latin1");
  return {
    ...{ socket, text, closed, read },
    /** Resolves when `isEnough(text)`, when the connection is closed, or when the time is over. */
    async until(isEnough, withinMs) {
      const heard = new Promise((resolve) => {
        hear = () => isEnough(text()) && resolve();
        hear();
      });
      await within(withinMs, Promise.race([heard, closed]));
    },
    /** The status that came: "400"; or "closed" or "nothing" without one. */
    async status(withinMs) {
      await this.until((received) => received.includes("\r\n\r\n"), withinMs);
      const found = /^HTTP\/1\.1 (\d{3})/.exec(text())?.[1];
      return found ?? (socket.destroyed ? "closed" : "nothing");
    },
  };
}

/** @returns whether `promise` was settled in time */
export async function within(ms, promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}
