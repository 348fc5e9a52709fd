import { html, Markup } from "./markup.js";

export interface PageParts {
  readonly title: string;
  readonly style: string;
  readonly body: Markup;
  /** Modules, compiled: the page has no file to load them from. Default: none. */
  readonly scripts?: readonly string[];
}

/**
 * One HTML page that loads nothing: style and scripts are inside. Its policy allows these very scripts by their hashes and no
 * connection, so that nothing in a text could run even if it got into the markup.
 */
export async function pageText({ title, style, body, scripts = [] }: PageParts): Promise<string> {
  const inline = scripts.map((script) => script.replace(/^\/\/# sourceMappingURL=.*$/m, ""));
  const hashes = await Promise.all(inline.map(sha256));
  const allowed = hashes.length === 0 ? "'none'" : hashes.map((hash) => `'sha256-${hash}'`).join(" ");
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${allowed}; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>${body}
${inline.map((script) => html`<script type="module">${new Markup(script)}</script>`)}
</body>
</html>
`.text;
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}
