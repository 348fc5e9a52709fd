import type { Plugin } from "vite";
import { toHtml } from "../dom/html.js";
import { h, type VNode } from "../dom/node.js";
import { gem } from "../pages/layout.js";
import { playgroundPage } from "../pages/playground.js";
import { productPage } from "../pages/product.js";
import { LANGUAGES, type Language, TEXTS } from "../text/texts.js";

/** What a page may load. Weights and servers of the reader's choice are reached from the playground alone. */
function policy(page: string): string {
  const connect = page === "playground" ? "'self' https: http:" : "'self'";
  return (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; manifest-src 'self'; " +
    `worker-src 'self'; connect-src ${connect}; base-uri 'none'; form-action 'none'`
  );
}

/** scripts/site.mjs puts the package's models here, and a host of plain files may add its own; a server tells better. */
const NO_MODELS = `${JSON.stringify({ models: [] })}\n`;

/** Writes the pages' content into their HTML files: they are complete before a script runs. */
export function pages(siteUrl: string | undefined): Plugin {
  return {
    name: "gemma-pages",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "models/index.json", source: NO_MODELS });
    },
    transformIndexHtml: {
      order: "post", // behind Vite's own look at links: ours are right as they stand
      handler(html, { path }) {
        const language = /^\/de\//.test(path) ? "de" : "en";
        const page = path === "/index.html" ? "choose" : path.includes("/playground/") ? "playground" : "product";
        const body = {
          choose,
          playground: () => playgroundPage(TEXTS[language]),
          product: () => productPage(TEXTS[language]),
        };
        return html
          .replace("<!--head-->", () => toHtml(head(page, language, siteUrl)))
          .replace("<!--body-->", () => toHtml(body[page]()));
      },
    },
  };
}

function head(page: "choose" | "playground" | "product", language: Language, siteUrl: string | undefined): VNode[] {
  const root = { choose: "./", product: "../", playground: "../../" }[page];
  const texts = TEXTS[language];
  const { title, description } = page === "playground" ? texts.playground : texts.product;
  const below = page === "playground" ? "playground/" : "";
  const address = (to: Language) => `${siteUrl ?? root}${to}/${below}`;
  return [
    h("meta", { charset: "utf-8" }),
    h("meta", { "http-equiv": "Content-Security-Policy", content: policy(page) }),
    h("meta", { name: "viewport", content: "width=device-width, initial-scale=1, viewport-fit=cover" }),
    h("title", {}, title),
    h("meta", { name: "description", content: description }),
    h("meta", { name: "color-scheme", content: "light dark" }),
    h("meta", { name: "theme-color", content: "#fbfbfa", media: "(prefers-color-scheme: light)" }),
    h("meta", { name: "theme-color", content: "#14161a", media: "(prefers-color-scheme: dark)" }),
    ...LANGUAGES.map((to) => h("link", { rel: "alternate", hreflang: to, href: address(to) })),
    h("link", { rel: "alternate", hreflang: "x-default", href: siteUrl ?? root }),
    siteUrl !== undefined && page !== "choose" && h("link", { rel: "canonical", href: address(language) }),
    h("meta", { property: "og:title", content: title }),
    h("meta", { property: "og:description", content: description }),
    h("link", { rel: "icon", href: `${root}icon.svg`, type: "image/svg+xml" }),
    h("link", { rel: "apple-touch-icon", href: `${root}icon-180.png` }),
    // Where the server wants a key, browsers send it for the pages, but for this only if told to.
    h("link", { rel: "manifest", href: `${root}${language}.webmanifest`, crossorigin: "use-credentials" }),
    h("script", { src: `${root}theme.js` }),
  ].filter((part) => part !== false);
}

/** Without a script it offers both languages. */
function choose(): VNode[] {
  return [
    h(
      "main",
      { class: "choose" },
      gem("gem"),
      h("h1", {}, "gemma.ts"),
      h(
        "p",
        {},
        h("a", { href: "en/", lang: "en", hreflang: "en" }, "English"),
        " ",
        h("a", { href: "de/", lang: "de", hreflang: "de" }, "Deutsch"),
      ),
    ),
  ];
}
