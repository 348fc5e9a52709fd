import type { Plugin } from "vite";

/** The playground asks for no JSON schemas: 2 MB that nobody would use stay out of the site. */
export function noGrammars(): Plugin {
  return {
    name: "no-grammars",
    load: (id) => (/[/\\]grammar-worker-web\.js$/.test(id) ? "export {};" : null),
  };
}
