import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { isLibraryBuilt } from "../helpers/built-library.js";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const folder = join(dist, "runtime/bundle");
const source = (path: string) => readFileSync(path, "utf8");

/** What a file imports at its top. */
const imports = (path: string) =>
  [...source(path).matchAll(/^(?:import|export)\b[^;"']*["']([^"']+)["'];$/gm)].map(([, name]) => name!);
/** And later, when it needs it. */
const lazyImports = (path: string) => [...source(path).matchAll(/\bimport\("([^"]+)"\)/g)].map(([, name]) => name!);

function reachable(path: string, found = new Map<string, string[]>()): Map<string, string[]> {
  if (found.has(path)) return found;
  found.set(path, imports(path));
  for (const name of imports(path)) if (name.startsWith(".")) reachable(resolve(dirname(path), name), found);
  return found;
}

describe.skipIf(!isLibraryBuilt)("the bundle of threads and processes", () => {
  const files = isLibraryBuilt ? readdirSync(folder).filter((name) => name.endsWith(".js")) : [];

  test("the engine's worker starts with two files, and no package", () => {
    const worker = reachable(join(folder, "worker-node.js"));
    expect(worker.size).toBe(2); // its own, and what all entries share
    const names = [...worker.values()].flat().filter((name) => !name.startsWith("."));
    expect(names.filter((name) => !name.startsWith("node:"))).toEqual([]);
  });

  test("imports nothing beside it: a thread has one copy of each class", () => {
    for (const name of files) {
      const path = join(folder, name);
      const own = [...imports(path), ...lazyImports(path)].filter((target) => target.startsWith("."));
      for (const target of own) expect(files, `${name} imports ${target}`).toContain(target.slice(2));
      expect(source(path).match(/^var GemmaError = class/gm)?.length ?? 0).toBe(name === "base.js" ? 1 : 0);
    }
  });

  test("its source maps lead to src", () => {
    for (const name of files) {
      if (name === "rolldown-runtime.js") continue; // the bundler's own
      const { sources } = JSON.parse(source(join(folder, `${name}.map`))) as { sources: string[] };
      for (const path of sources.map((text) => resolve(folder, text))) {
        // A shader is a module that the build has made of its file.
        const written = path.endsWith(".wgsl.js") ? path.replace(dist, resolve(dist, "../src")).slice(0, -3) : path;
        expect(written.startsWith(resolve(dist, "../src") + sep) && existsSync(written), path).toBe(true);
      }
    }
  });
});
