import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";
import { createNet, type Net, type NetOptions } from "../../src/load/net.js";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/load/${name}`, import.meta.url));

export interface TestServer {
  readonly port: number;
  /** Every request so far: host, path and headers. */
  readonly seen: IncomingMessage[];
  close(): Promise<void>;
}

/** An HTTPS server on 127.0.0.1 that answers for hub.example, cdn.hf.co, good.example and evil.example. */
export async function startServer(answer: (req: IncomingMessage, res: ServerResponse) => void): Promise<TestServer> {
  const seen: IncomingMessage[] = [];
  const server = createServer(
    { key: readFileSync(fixture("tls-key.pem")), cert: readFileSync(fixture("tls-cert.pem")) },
    (req, res) => {
      seen.push(req);
      answer(req, res);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const testCertificate = createSecureContext({ ca: readFileSync(fixture("tls-cert.pem")) });

/** The real network client, with every name at 127.0.0.1 and only the test certificate trusted. */
export function testNet(options: Partial<NetOptions> = {}): Net {
  return createNet({
    env: {},
    secureContext: testCertificate,
    resolver: async () => ["127.0.0.1"],
    isAllowedAddress: (address) => address === "127.0.0.1",
    ...options,
  });
}

export interface FileServerOptions {
  readonly etag?: string;
  /** Cuts the connection once the file's byte at this offset is reached; one entry per request. */
  readonly cuts?: number[];
}

/** Serves `bytes` with Range, If-Range and ETag, as object stores do. */
export function serveFile(bytes: Uint8Array, options: FileServerOptions = {}) {
  const etag = options.etag ?? '"v1"';
  return (req: IncomingMessage, res: ServerResponse): void => {
    const range = /^bytes=(\d+)-$/.exec(req.headers.range ?? "");
    const sameVersion = req.headers["if-range"] === undefined || req.headers["if-range"] === etag;
    const start = range !== null && sameVersion ? Number(range[1]) : 0;
    const end = options.cuts?.shift() ?? bytes.length;
    res.writeHead(start > 0 ? 206 : 200, {
      etag,
      "content-length": bytes.length - start,
      ...(start > 0 ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (end >= bytes.length) {
      res.end(bytes.subarray(start));
      return;
    }
    res.write(bytes.subarray(start, end), () => setTimeout(() => res.destroy(), 20));
  };
}
