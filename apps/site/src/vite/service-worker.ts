import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Writes sw.js's list of files, and a version that is a hash of all of them. */
export function serviceWorker(publicDir: string): Plugin {
  return {
    name: "gemma-service-worker",
    enforce: "post",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const worker = bundle["sw.js"];
        if (worker?.type !== "chunk") throw new Error("site: the build must have sw.js");
        const files = new Map<string, string | Uint8Array>();
        for (const [name, file] of Object.entries(bundle)) {
          if (name !== "sw.js" && !name.startsWith("models/"))
            files.set(name, file.type === "chunk" ? file.code : file.source);
        }
        for (const name of readdirSync(publicDir)) files.set(name, readFileSync(join(publicDir, name)));
        const hash = createHash("sha256");
        for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
          hash.update(name).update(content);
        worker.code = worker.code
          .replaceAll("__VERSION__", JSON.stringify(hash.digest("hex").slice(0, 16)))
          .replaceAll("__FILES__", JSON.stringify([...files.keys()].sort()));
      },
    },
  };
}
