import { readFileSync } from "node:fs";

/** The JavaScript module of a .wgsl file: bundlers and browsers need no plugin for it. */
export function wgslModule(path) {
  return `export default ${JSON.stringify(readFileSync(path, "utf8"))};\n`;
}

/** For vite and rolldown, where sources are bundled: `./x.wgsl.js` is the text of `./x.wgsl`. */
export function wgslPlugin() {
  return {
    name: "wgsl",
    enforce: "pre",
    async resolveId(specifier, importer) {
      if (!specifier.endsWith(".wgsl.js")) return null;
      const found = await this.resolve(specifier.slice(0, -3), importer, { skipSelf: true });
      return found === null ? null : `${found.id}.js`;
    },
    load: (id) => (id.endsWith(".wgsl.js") ? wgslModule(id.slice(0, -3)) : null),
  };
}
