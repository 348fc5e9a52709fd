// The DOM's types do not know what a service worker has, and those of workers exclude the DOM's: what is used, in short.
interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Lasting {
  readonly request: Request;
  respondWith(response: Response | Promise<Response>): void;
}
interface Scope {
  readonly location: Location;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Lasting) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}
declare const self: Scope;
/** Put in by the build: the version, and the site's files relative to this one. */
declare const __VERSION__: string;
declare const __FILES__: readonly string[];

const PREFIX = "gemma-site-";
const CACHE = PREFIX + __VERSION__;
const scope = new URL("./", self.location.href);
const OURS = new Map(__FILES__.map((name) => [new URL(name, scope).pathname, name]));

// Either the whole version is kept or none of it: one file that fails fails the installation.
self.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) => {
      return cache.addAll(__FILES__.map((name) => new Request(new URL(name, scope), { cache: "reload" })));
    }),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then(async (names) => {
      await Promise.all(
        names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
      );
      await self.clients.claim();
    }),
  );
});

self.addEventListener("message", ({ data }) => {
  if (data === "take over") self.skipWaiting();
});

// The site's own files come from its cache, always of one version. All else (weights, servers) is none of this worker's.
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  const { pathname } = url;
  const name = OURS.get(pathname) ?? OURS.get(`${pathname}index.html`) ?? OURS.get(`${pathname}/index.html`);
  if (name === undefined) return;
  // A page without the slash at its end would resolve its addresses in the wrong folder.
  if (request.mode === "navigate" && OURS.has(`${pathname}/index.html`)) {
    event.respondWith(Response.redirect(`${pathname}/${url.search}`, 301));
  } else event.respondWith(answer(name, request));
});

async function answer(name: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(new URL(name, scope));
  return kept === undefined ? fetch(request) : isolated(kept);
}

/** With the headers that turn threads on, which static hosts do not send. */
function isolated(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set("cross-origin-opener-policy", "same-origin");
  headers.set("cross-origin-embedder-policy", "require-corp");
  return new Response(response.body, { status: response.status, headers });
}
