import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { PullOptions, PullSeams } from "../../src/load/pull.js";
import { serveFile, startServer, type TestServer, testNet } from "./https-server.js";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
export const GGUF = Buffer.concat([Buffer.from("GGUF"), Buffer.alloc(20_000, 7)]);
export const SEAMS: PullSeams = { net: () => testNet(), retryDelayMs: 1 };

/** A cache folder and a server that answers for every host, new for each test. */
export class PullServer {
  home = "";
  server!: TestServer;
  answer: (req: IncomingMessage, res: ServerResponse) => void = () => {};
  notices: string[] = [];

  /** To be called where tests are declared. */
  constructor() {
    beforeEach(async () => {
      this.home = await mkdtemp(join(tmpdir(), "gemma-home-"));
      this.server = await startServer((req, res) => this.answer(req, res));
      this.notices = [];
    });
    afterEach(async () => {
      await this.server.close();
      await rm(this.home, { recursive: true, force: true });
    });
  }

  options(env: NodeJS.ProcessEnv = {}): PullOptions {
    const endpoint = `https://hub.example:${this.server.port}`;
    const { home } = this;
    return { home, env: { HOME: home, HF_ENDPOINT: endpoint, ...env }, onNotice: (line) => this.notices.push(line) };
  }

  /** A Hub with one repository `o/r`; large files live on another host, as they do in reality. */
  hub(files: Readonly<Record<string, Uint8Array>>, token?: string) {
    return (req: IncomingMessage, res: ServerResponse): void => {
      const path = (req.url ?? "").split("?")[0] ?? "";
      const isCdn = req.headers.host?.startsWith("cdn.hf.co");
      if (!isCdn && token !== undefined && req.headers.authorization !== `Bearer ${token}`)
        return void res.writeHead(401).end();
      if (path.startsWith("/api/models/o/r/revision/")) {
        const siblings = Object.entries(files).map(([rfilename, bytes]) => ({
          rfilename,
          size: bytes.length,
          ...(/\.(gguf|safetensors)$/.test(rfilename) ? { lfs: { sha256: sha256(bytes), size: bytes.length } } : {}),
        }));
        return void res.end(JSON.stringify({ sha: COMMIT, siblings }));
      }
      const name = path.replace(/^\/(o\/r\/resolve\/[0-9a-f]{40}|blob)\//, "");
      const bytes = files[name];
      if (bytes === undefined) return void res.writeHead(404).end();
      if (isCdn || !name.endsWith("f")) serveFile(bytes)(req, res);
      else res.writeHead(302, { location: `https://cdn.hf.co:${this.server.port}/blob/${name}` }).end();
    };
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
