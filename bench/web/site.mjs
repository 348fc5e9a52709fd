// A site on this machine for the two sides: a page, both packages, one model file. Pages are isolated, so that both may use
// threads.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { PEER_FOLDER } from "./install.mjs";

const FOLDERS = {
  "/dist/": fileURLToPath(new URL("../../dist/", import.meta.url)),
  "/wllama/": PEER_FOLDER,
  "/sides/": fileURLToPath(new URL("./sides/", import.meta.url)),
};
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const PAGE =
  "<!doctype html><meta charset=utf-8><title>bench</title><script type=module src=/sides/visits.mjs></script>";
const PIECE_BYTES = 256 << 10; // as `gemma serve` sends files

/**
 * `told`: what the page tells next.
 * @returns {Promise<{ url: string, told: () => Promise<object>, close: () => Promise<void> }>}
 */
export async function openSite(model) {
  let hear;
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    if (path === "/") return response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
    if (path === "/told") {
      json(request)
        .catch((error) => ({ error: String(error) }))
        .then((figures) => hear(figures))
        .then(() => setImmediate(() => response.end())); // the page goes on when it has been heard
      return;
    }
    const folder = Object.keys(FOLDERS).find((prefix) => path.startsWith(prefix));
    const file = path === "/model.gguf" ? model : folder && join(FOLDERS[folder], path.slice(folder.length));
    try {
      sendFile(file, request, response);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  const told = () => new Promise((resolve) => (hear = resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, told, close };
}

function sendFile(file, { method, headers }, response) {
  const { size, mtimeMs } = statSync(file);
  const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "");
  const start = Number(range?.[1] ?? 0);
  const end = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
  response.writeHead(range ? 206 : 200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": end - start + 1,
    "accept-ranges": "bytes",
    etag: `"${size}-${mtimeMs}"`,
    ...(range ? { "content-range": `bytes ${start}-${end}/${size}` } : {}),
  });
  if (method === "HEAD") response.end();
  else createReadStream(file, { start, end, highWaterMark: PIECE_BYTES }).pipe(response);
}
