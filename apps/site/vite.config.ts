import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { noGrammars } from "./src/vite/no-grammars.js";
import { pages } from "./src/vite/pages.js";
import { serviceWorker } from "./src/vite/service-worker.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// SITE_URL=https://example.org/ makes the addresses in the pages' heads whole, as search engines want them.
export default defineConfig({
  root: at("./"),
  base: "./",
  plugins: [pages(process.env.SITE_URL), serviceWorker(at("public"))],
  worker: { format: "es", plugins: () => [noGrammars()] },
  build: {
    outDir: at("../../dist-site"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the content security policy has no data: addresses
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        choose: at("index.html"),
        en: at("en/index.html"),
        de: at("de/index.html"),
        "en-playground": at("en/playground/index.html"),
        "de-playground": at("de/playground/index.html"),
        sw: at("src/sw.ts"),
      },
      output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
});
