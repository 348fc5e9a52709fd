import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { gemmaHome } from "../../load/cache.js";
import { type OfferedFile, type OfferedFiles, offeredFiles } from "../../load/offered.js";
import { parseRange } from "../http/range.js";
import { type AnyOperation, noSuchPath, operation } from "../routes.js";
import type { Serving } from "../serving.js";

// Weights for pages, as docs/browser.md describes the folder. A request's words are compared with names that the server knows
// and never become a path.

async function offered({ options }: Serving, path: string): Promise<readonly OfferedFiles[]> {
  if (!options.weights) throw noSuchPath(path);
  return offeredFiles(options.home ?? gemmaHome());
}

const index = operation({
  method: "get",
  path: "/models/index.json",
  summary: "Models whose weights pages can fetch",
  tag: "Operation",
  isHidden: true,
  response: "application/json",
  async handle(serving, call) {
    const models = await offered(serving, new URL(call.request.url).pathname);
    const body = models.map(({ files, ...model }) => ({
      ...model,
      files: files.map(({ name, sizeBytes, sha256 }) => ({ name, sizeBytes, sha256 })),
    }));
    return Response.json({ models: body }, { headers: { "cache-control": "no-cache" } });
  },
});

const file = operation({
  method: "get",
  path: "/models/:name/:file",
  summary: "A file of a model",
  tag: "Operation",
  isHidden: true,
  response: "application/octet-stream",
  async handle(serving, call, _, params) {
    const models = await offered(serving, new URL(call.request.url).pathname);
    const model = models.find(({ name }) => name === params.name);
    const found = model?.files.find(({ name }) => name === params.file);
    if (!found) throw noSuchPath(new URL(call.request.url).pathname);
    return answer(call.request, found);
  },
});

/** Two and a half times as fast as Node's 64 KB. A connection that is slow holds three of them in memory. */
const PIECE_BYTES = 256 << 10;

/** A file or a part of it. Its hash names its version: a download that was cut goes on with the same one or not at all. */
function answer(request: Request, { path, sizeBytes, sha256 }: OfferedFile): Response {
  const etag = `"${sha256}"`;
  const headers: Record<string, string> = {
    etag,
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
    "cache-control": "no-cache",
    "repr-digest": `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`,
    // For pages of other origins that may call this server.
    "access-control-expose-headers": "etag, content-range, repr-digest",
  };
  if (listsTag(request.headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  const condition = request.headers.get("if-range");
  const wanted = condition === null || condition === etag ? request.headers.get("range") : null;
  const range = parseRange(wanted, sizeBytes);
  if (range === "beyond") {
    return new Response(null, { status: 416, headers: { ...headers, "content-range": `bytes */${sizeBytes}` } });
  }
  const { start, end } = range === "whole" ? { start: 0, end: sizeBytes - 1 } : range;
  headers["content-length"] = String(end - start + 1);
  if (range !== "whole") headers["content-range"] = `bytes ${start}-${end}/${sizeBytes}`;
  const isHead = request.method === "HEAD" || sizeBytes === 0;
  const pieces = () => createReadStream(path, { start, end, highWaterMark: PIECE_BYTES });
  const body = isHead ? null : (Readable.toWeb(pieces()) as ReadableStream<Uint8Array>);
  return new Response(body as BodyInit | null, { status: range === "whole" ? 200 : 206, headers });
}

function listsTag(header: string | null, etag: string): boolean {
  return header?.split(",").some((one) => ["*", etag].includes(one.trim().replace(/^W\//, ""))) ?? false;
}

export const weights: readonly AnyOperation[] = [index, file];
