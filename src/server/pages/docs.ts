import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AnyOperation, noSuchPath, operation } from "../routes.js";
import type { Serving } from "../serving.js";

/** The page's files under /docs/: these of Swagger UI, and a script of ours that starts it. Nothing else is readable. */
const FILES: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css",
  "swagger-ui-bundle.js": "text/javascript",
  "favicon-32x32.png": "image/png",
};

// Addresses are relative: the server may be mounted behind a prefix.
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>gemma.ts</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="stylesheet" href="docs/start.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#ui",
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: true,
  persistAuthorization: false,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
});
`;

/** Swagger UI knows no dark scheme. */
const STYLE = `@media (prefers-color-scheme: dark) {
  html { background: #fff; filter: invert(0.9) hue-rotate(180deg); }
}
`;

/** Only this server's own scripts, and requests to it alone. Swagger UI has pictures in its style sheet, and styles in its elements. */
const HEADERS = {
  "content-security-policy":
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; " +
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cache-control": "private, no-cache",
};

const page = (path: string, type: string, text: () => string | Promise<Uint8Array<ArrayBuffer>>): AnyOperation =>
  operation({
    method: "get",
    path,
    summary: "A page to try the API",
    tag: "Operation",
    isPage: true,
    isHidden: true,
    response: type,
    async handle(serving, call) {
      expectDocs(serving, path);
      // Relative addresses would mean others below the page.
      if (path === "/docs" && new URL(call.request.url).pathname.endsWith("/")) {
        return new Response(null, { status: 308, headers: { location: "../docs" } });
      }
      return new Response(await text(), { headers: { "content-type": type, ...HEADERS } });
    },
  });

function expectDocs({ options }: Serving, path: string): void {
  if (!options.docs) throw noSuchPath(path);
}

async function swaggerFile(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = dirname(fileURLToPath(import.meta.resolve("swagger-ui-dist/package.json")));
  return new Uint8Array(await readFile(join(folder, name)));
}

/** Swagger UI, from this server alone. */
export const docs: readonly AnyOperation[] = [
  page("/docs", "text/html; charset=utf-8", () => PAGE),
  page("/docs/start.js", "text/javascript", () => START),
  page("/docs/start.css", "text/css", () => STYLE),
  ...Object.entries(FILES).map(([name, type]) => page(`/docs/${name}`, type, () => swaggerFile(name))),
];
