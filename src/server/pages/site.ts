import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { packageRoot } from "../../load/package-root.js";
import { type AnyOperation, noSuchPath, operation } from "../routes.js";

/** The site as apps/site is built: `npm run site:build`. A clone may not have it. */
const FOLDER = join(packageRoot(), "dist-site");

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

// Threads in a page need the first two. The pages themselves say more narrowly what each may load; the playground reaches
// servers of its reader's choice.
const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' https: http:; object-src 'none'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};

/** The files that are there, relative and with `/`: nothing else is readable. */
function filesIn(folder: string, below = ""): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const name = `${below}${entry.name}`;
    if (entry.isDirectory()) return filesIn(join(folder, entry.name), `${name}/`);
    return TYPES[extname(name)] === undefined ? [] : [name];
  });
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // not built
  }
}

const FILES = filesIn(FOLDER);

/** Whether the root leads to the site. */
export const hasSite = FILES.includes("index.html");

/** One of the site's files. Those under assets/ have a hash of their content in their names. */
export async function siteFile(name: string): Promise<Response> {
  const cache = name.startsWith("assets/") ? "private, max-age=31536000, immutable" : "private, no-cache";
  const headers = { ...HEADERS, "content-type": TYPES[extname(name)]!, "cache-control": cache };
  return new Response(new Uint8Array(await readFile(join(FOLDER, name))), { headers });
}

function page(path: string, name: string, isFolder = false): AnyOperation {
  return operation({
    method: "get",
    path,
    summary: "The project's site, with a playground",
    tag: "Operation",
    isPage: true,
    isHidden: true,
    response: TYPES[extname(name)]!,
    handle({ options }, call) {
      if (!options.site) throw noSuchPath(path);
      // The router takes both; relative addresses in a page would mean others without the slash.
      const asked = new URL(call.request.url).pathname;
      if (isFolder && !asked.endsWith("/")) {
        const last = asked.slice(asked.lastIndexOf("/") + 1);
        return new Response(null, { status: 308, headers: { location: `${last}/` } });
      }
      return siteFile(name);
    },
  });
}

/** A page answers to its folder, too. */
export const site: readonly AnyOperation[] = FILES.flatMap((name) => {
  const folder = /^(.+)\/index\.html$/.exec(name)?.[1];
  return [page(`/${name}`, name), ...(folder === undefined ? [] : [page(`/${folder}`, name, true)])];
});
