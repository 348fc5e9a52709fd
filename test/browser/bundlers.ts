import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

/** Bundlers that this project does not use itself; they are installed once, into build/. */
const PINNED = { webpack: "5.113.0", esbuild: "0.28.2" } as const;

const root = fileURLToPath(new URL("../../", import.meta.url));
const cache = join(root, "build/bundlers");

/** An application's project: a page, its script, and the package as npm installs it. */
export interface Project {
  readonly folder: string;
  readonly out: string;
}

export const BUNDLERS = {
  async vite({ folder, out }: Project) {
    const { build } = await import("vite");
    await build({ root: folder, logLevel: "error", build: { outDir: out, emptyOutDir: true } });
  },

  async webpack({ folder, out }: Project) {
    const webpack = installed("webpack");
    const compiler = webpack({
      mode: "production",
      context: folder,
      entry: "./main.js",
      output: { path: out, filename: "main.js", publicPath: "auto" },
      experiments: { outputModule: true },
    });
    await new Promise<void>((resolve, reject) =>
      compiler.run((error: Error | null, stats: { hasErrors(): boolean; toString(): string }) => {
        if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString()));
        else resolve();
      }),
    );
    page(out, "main.js");
  },

  /** It follows no workers: they are copied to where the package looks for them. */
  async esbuild({ folder, out }: Project) {
    const { build } = installed("esbuild");
    await build({
      absWorkingDir: folder,
      entryPoints: ["./main.js"],
      ...{ bundle: true, format: "esm", minify: true, outdir: out, platform: "browser", logLevel: "error" },
    });
    cpSync(join(folder, "node_modules/gemma-ts/dist/web/bundle"), join(out, "bundle"), { recursive: true });
    page(out, "main.js");
  },
} as const;

export type Bundler = keyof typeof BUNDLERS;

/** Makes a project of its own that has the package in node_modules. */
export function makeProject(folder: string, script: string): Project {
  const modules = join(folder, "node_modules");
  mkdirSync(modules, { recursive: true });
  symlinkSync(root, join(modules, "gemma-ts"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "page", private: true, type: "module" }));
  writeFileSync(join(folder, "main.js"), script);
  page(folder, "main.js");
  return { folder, out: join(folder, "out") };
}

/** Bytes of the scripts that a page loads at once, packed as servers send them; workers are not among them. */
export function entryBytes(out: string): { readonly file: string; readonly bytes: number; readonly gzipBytes: number } {
  const html = readFileSync(join(out, "index.html"), "utf8");
  const file = /src="[./]*([^"]+\.js)"/.exec(html)![1]!;
  const bytes = readFileSync(join(out, file));
  return { file, bytes: bytes.length, gzipBytes: gzipSync(bytes).length };
}

/** The files of a build, for messages. */
export function filesOf(out: string): readonly string[] {
  return readdirSync(out, { recursive: true }).map(String);
}

function page(folder: string, script: string): void {
  const html = `<!doctype html><meta charset="utf-8"><script type="module" src="./${script}"></script>`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.html"), html);
}

/** Installs a bundler of the cache folder if it is not there. @returns why it cannot be had; undefined: it is there */
export function lackOf(name: Bundler): string | undefined {
  if (!(name in PINNED)) return undefined; // this project's own
  const manifest = join(cache, "node_modules", name, "package.json");
  const wanted = PINNED[name as keyof typeof PINNED];
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version === wanted) return undefined;
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, "package.json"), JSON.stringify({ private: true }));
  const packages = Object.entries(PINNED).map(([one, version]) => `${one}@${version}`);
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error"];
  const { status, stderr } = spawnSync("npm", ["install", ...flags, ...packages], {
    cwd: cache,
    encoding: "utf8",
    timeout: 60_000,
  });
  return status === 0 ? undefined : `npm could not fetch it: ${stderr.trim().split("\n")[0]}`;
}

// biome-ignore lint/suspicious/noExplicitAny: its types are not installed
function installed(name: keyof typeof PINNED): any {
  return createRequire(pathToFileURL(join(cache, "package.json")))(name);
}
