import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startServer, type TestServer, testNet } from "../../test/helpers/https-server.js";
import { isPublicAddress } from "./addresses.js";
import { createNet, type Net } from "./net.js";
import { explainFailure } from "./net-errors.js";

let server: TestServer;
let answer: (req: IncomingMessage, res: ServerResponse) => void;
let net: Net;

beforeEach(async () => {
  server = await startServer((req, res) => answer(req, res));
  net = testNet();
});

afterEach(async () => {
  await net.close();
  await server.close();
});

const isKnown = (host: string) => host === "hub.example" || host.endsWith(".hf.co");

async function get(url: string, authorization?: string): Promise<number> {
  const response = await net.get(new URL(url), { allowHost: isKnown, authorization });
  response.body.destroy();
  return response.status;
}

test.each([
  "8.8.8.8",
  "2001:4860:4860::8888",
  "64:ff9b::8.8.8.8", // NAT64 of a public address
])("%s is public", (address) => expect(isPublicAddress(address)).toBe(true));

test.each([
  "127.0.0.1",
  "10.1.2.3",
  "172.16.0.1",
  "192.168.1.1",
  "169.254.169.254", // cloud metadata
  "100.64.0.1", // carrier-grade NAT
  "0.0.0.0",
  "224.0.0.1",
  "255.255.255.255",
  "::1",
  "::",
  "fe80::1",
  "fd00::1",
  "fd00:ec2::254", // cloud metadata
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "64:ff9b::127.0.0.1",
  "2002:7f00:1::", // 6to4 of loopback
  "not an address",
])("%s is not public", (address) => expect(isPublicAddress(address)).toBe(false));

test.each([
  "http://169.254.169.254/",
  "http://[::ffff:127.0.0.1]/",
  "http://2130706433/",
  "https://2130706433/",
  "https://0x7f.1/",
  "https://[::ffff:7f00:1]/",
  "http://hub.example/", // the right host, in clear text
  "https://good.example\\@evil.example/",
  "https://hub.example\\@evil.example/",
  "https://user:secret@hub.example/",
  "https://localhost/",
  "https://evil.example/",
  "https://hub.example.evil.example/",
  "file:///etc/passwd",
  "//evil.example/",
  "https://",
  "",
])("a redirect to %s is refused, and nothing is connected to", async (location) => {
  const target = location.replace(/\.example/g, `.example:${server.port}`);
  answer = (_req, res) => void res.writeHead(302, target === "" ? {} : { location: target }).end();
  await expect(get(`https://hub.example:${server.port}/file`, "Bearer hf_secret")).rejects.toMatchObject({
    code: "ERR_FORBIDDEN_ADDRESS",
    message: expect.not.stringContaining("secret"),
  });
  expect(server.seen.length).toBe(1);
});

test.each(["localhost", "app.localhost", "127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254"])(
  "%s is refused as a first address too, whatever hosts a source allows",
  async (host) => {
    const guarded = createNet({ env: {} });
    const failed = guarded.get(new URL(`https://${host}:${server.port}/`), { allowHost: () => true });
    await expect(failed).rejects.toMatchObject({ code: "ERR_FORBIDDEN_ADDRESS" });
    await guarded.close();
    expect(server.seen.length).toBe(0);
  },
);

test("a name whose DNS answer is private is refused after the lookup, without a connection", async () => {
  let connections = 0;
  const trap = createServer(() => connections++);
  await new Promise<void>((resolve) => trap.listen(0, "127.0.0.1", resolve));
  const { port } = trap.address() as { port: number };
  const guarded = testNet({ isAllowedAddress: isPublicAddress });
  const failed = guarded.get(new URL(`https://hub.example:${port}/`), { allowHost: () => true });
  await expect(failed).rejects.toMatchObject({ code: "ERR_FORBIDDEN_ADDRESS" });
  await guarded.close();
  await new Promise((resolve) => trap.close(resolve));
  expect(connections).toBe(0);
});

test("the connection goes to the address that was checked, not to a later answer", async () => {
  let lookups = 0;
  await net.close();
  net = testNet({ resolver: async () => [lookups++ === 0 ? "127.0.0.1" : "169.254.169.254"] });
  answer = (_req, res) => void res.end("ok");
  expect(await get(`https://hub.example:${server.port}/`)).toBe(200);
  expect(lookups).toBe(1);
});

test("authorization is sent to the first origin only", async () => {
  answer = (req, res) => {
    if (req.url === "/same") res.writeHead(307, { location: "/file" }).end();
    else if (req.url === "/file") res.writeHead(302, { location: `https://cdn.hf.co:${server.port}/blob` }).end();
    else res.end("ok");
  };
  expect(await get(`https://hub.example:${server.port}/same`, "Bearer hf_secret")).toBe(200);
  expect(server.seen.map((req) => [req.headers.host?.split(":")[0], req.headers.authorization])).toEqual([
    ["hub.example", "Bearer hf_secret"],
    ["hub.example", "Bearer hf_secret"],
    ["cdn.hf.co", undefined],
  ]);
});

test("a circle of redirects ends", async () => {
  answer = (_req, res) => void res.writeHead(302, { location: "/again" }).end();
  await expect(get(`https://hub.example:${server.port}/`)).rejects.toMatchObject({ code: "ERR_NETWORK" });
  expect(server.seen.length).toBe(9);
});

test("a certificate that nobody vouches for is refused, with the way out", async () => {
  const strict = createNet({ env: {}, resolver: async () => ["127.0.0.1"], isAllowedAddress: () => true });
  const error = await strict
    .get(new URL(`https://hub.example:${server.port}/`), { allowHost: isKnown })
    .catch((reason: unknown) => explainFailure(reason, "hub.example"));
  await strict.close();
  expect(error).toMatchObject({
    transient: false,
    error: { code: "ERR_NETWORK", hint: expect.stringContaining("SSL_CERT_FILE") },
  });
});

test("a certificate file that is not there is named with its variable", () => {
  expect(() => createNet({ env: { SSL_CERT_FILE: "/nowhere/ca.pem" } })).toThrow(
    "/nowhere/ca.pem (named by SSL_CERT_FILE)",
  );
});

test("HTTPS_PROXY is used, except for hosts in NO_PROXY; the host list holds behind it", async () => {
  const asked: string[] = [];
  const { createServer: createHttpServer } = await import("node:http");
  const { connect } = await import("node:net");
  const proxy = createHttpServer().on("connect", (req, socket) => {
    asked.push(req.url ?? "");
    const upstream = connect(server.port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as { port: number };
  answer = (_req, res) => void res.end("ok");
  await net.close();
  const certificate = new URL("../../test/fixtures/load/tls-cert.pem", import.meta.url).pathname;
  const env = { HTTPS_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: ".hf.co", SSL_CERT_FILE: certificate };
  net = createNet({ env, resolver: async () => ["127.0.0.1"], isAllowedAddress: (address) => address === "127.0.0.1" });
  expect(await get("https://hub.example/file")).toBe(200); // port 443 at a name that only the proxy knows
  expect(await get(`https://cdn.hf.co:${server.port}/file`)).toBe(200);
  await expect(get("https://evil.example/file")).rejects.toMatchObject({ code: "ERR_FORBIDDEN_ADDRESS" });
  expect(asked).toEqual(["hub.example:443"]);
  await net.close();
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});
