import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { TINY } from "../helpers/tiny-models.js";
import { dist } from "./browser.js";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};
const PAGE = `<!doctype html><meta charset="utf-8"><title>page</title><input id="file" type="file" multiple><input id="text">
<script type="module">
  import * as gemma from "/dist/web/gemma-ts.js";
  globalThis.gemma = gemma;
  globalThis.ready = true;
</script>`;

const bytes = readFileSync(TINY.gemma3);
const sha256 = createHash("sha256").update(bytes).digest("hex");
export const MODEL = { name: "tiny", bytes, sha256 };
const INDEX = {
  models: [
    { name: "tiny", label: "a tiny one", files: [{ name: "tiny.gguf", sizeBytes: bytes.length, sha256 }] },
    {
      name: "wrong",
      label: "other bytes",
      files: [{ name: "x.gguf", sizeBytes: bytes.length, sha256: "0".repeat(64) }],
    },
  ],
};

/** A site with a page that has the library, and models; it can be told to misbehave. */
export class Site {
  private readonly server: Server;
  /** Requests for files of models: path, and the range that was asked for. */
  readonly fetched: { readonly path: string; readonly range: string | undefined }[] = [];
  /** Bytes after which the next answers with a model's file are cut, one each. */
  cuts: number[] = [];
  /** Milliseconds between pieces of 32 KB of a model's file. */
  pauseMs = 0;
  /** Whether models are served at all. */
  hasModels = true;

  private constructor(
    /** Whether pages may share memory with workers. */
    private readonly isIsolated: boolean,
    /** A folder that is served at the root, for pages that a bundler has built. */
    private readonly folder: string | undefined,
  ) {
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  static async open({ isolated = true, folder }: { isolated?: boolean; folder?: string } = {}): Promise<Site> {
    const site = new Site(isolated, folder);
    await new Promise<void>((resolve) => site.server.listen(0, "127.0.0.1", resolve));
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = normalize(decodeURIComponent(new URL(request.url!, this.url).pathname));
    if (this.isIsolated) {
      response.setHeader("cross-origin-opener-policy", "same-origin");
      response.setHeader("cross-origin-embedder-policy", "require-corp");
    }
    if (path.startsWith("/models/")) return this.model(path, request, response);
    try {
      const file = path.startsWith("/dist/") ? join(dist, path.slice(6)) : this.fileOf(path);
      const body = file === null ? PAGE : readFileSync(file);
      response.writeHead(200, { "content-type": TYPES[file === null ? ".html" : extname(file)] ?? "text/plain" });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  }

  private fileOf(path: string): string | null {
    if (this.folder === undefined) return path === "/" ? null : join(dist, "nothing");
    return join(this.folder, path === "/" ? "index.html" : path);
  }

  private async model(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { range } = request.headers;
    this.fetched.push({ path, range });
    if (!this.hasModels) return void response.writeHead(404).end();
    if (path.endsWith("index.json")) return void response.end(JSON.stringify(INDEX));
    const start = Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
    const end = Math.min(bytes.length, 1 + Number(/-(\d+)$/.exec(range ?? "")?.[1] ?? bytes.length));
    response.writeHead(range ? 206 : 200, {
      "content-length": end - start,
      etag: `"${sha256}"`,
      ...(range ? { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` } : {}),
    });
    const cut = path.endsWith(".gguf") && !range?.startsWith("bytes=0-") ? this.cuts.shift() : undefined;
    const last = cut === undefined ? end : Math.min(end, start + cut);
    for (let at = start; at < last && !response.destroyed; at += 32 << 10) {
      response.write(bytes.subarray(at, Math.min(last, at + (32 << 10))));
      if (this.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
    if (cut === undefined) response.end();
    else setTimeout(() => response.destroy(), 50); // what was written arrives before the cut
  }
}
