import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { open, requestText, within } from "./raw.mjs";

const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (bytes) => {
    const text = bytes.toString();
    if (text.startsWith("GET /silent")) return;
    if (text.startsWith("GET /end")) socket.end();
    else socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  });
});
let port = 0;
beforeAll(
  () =>
    new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        port = server.address().port;
        resolve();
      });
    }),
);
afterAll(() => server.close());

test("a request has its length in bytes, and headers that contradict the usual ones", () => {
  expect(requestText("POST", "/x", "ö", { Host: "elsewhere" })).toBe(
    "POST /x HTTP/1.1\r\nHost: elsewhere\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\nö",
  );
});

test("the status of an answer, of a closed connection and of none", async () => {
  for (const [path, wanted] of [
    ["/", "404"],
    ["/end", "closed"],
    ["/silent", "nothing"],
  ]) {
    const connection = open(port);
    connection.socket.write(requestText("GET", path));
    expect(await connection.status(path === "/silent" ? 50 : 5000)).toBe(wanted);
    connection.socket.destroy();
    await connection.closed;
  }
});

test("within says whether something came in time", async () => {
  expect(await within(1000, Promise.resolve())).toBe(true);
  expect(await within(5, new Promise(() => {}))).toBe(false);
});
