// npm run build    src/ to dist/: tsc writes a file for each source file, asc the wasm kernels, then what starts as a thread or a
// process of its own is bundled into dist/runtime/bundle, because a new thread that imports a hundred small files takes
// longer. The workers of pages are one file each in dist/web/bundle: a bundler then has nothing to split. dist/web/gemma-ts.js is
// gemma-ts/web in one file, for pages without a bundler.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { buildWasm } from "./build-wasm.mjs";
import { hashOf, isMain, readIfThere, walk } from "./lib/files.mjs";
import { wgslModule } from "./lib/wgsl.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const KEY = "dist/.key";
const CONFIG = [
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "scripts/build.mjs",
  "scripts/build-wasm.mjs",
  "scripts/lib/wgsl.mjs",
];
const ENTRIES = ["worker-node", "grammar-worker", "template-process"];
// As deep below the root as the files of src/*/*/, and all entries in one folder: paths relative to a file stay right.
const BUNDLE = "dist/runtime/bundle";
/** What all entries and backends share, in one file: left to itself the bundler makes one of each combination. */
const EVERYWHERE = /[/\\]dist[/\\](base[/\\]|backend[/\\](kv|tensor)\.js$)/;
const WEB_WORKERS = ["web/worker-web", "web/grammar-worker-web", "web/template-worker-web", "backends/wasm/helper"];
const WEB_BUNDLE = "dist/web/bundle";
const WEB_FILES = [
  ...WEB_WORKERS.map((path) => ({ path, file: `${WEB_BUNDLE}/${basename(path)}.js` })),
  // Beside index.js: it finds the workers from there, and the backends where browserFeatures() asks them.
  { path: "web/index", file: "dist/web/gemma-ts.js", external: "./backends.js" },
];
const WASM = "dist/backends/wasm";

/** Is dist/ what the sources give? */
export function isBuilt() {
  return existsSync("dist/cli/main.js") && readIfThere(KEY) === keyOf(sources());
}

/** Builds dist/. Whatever fails, no bundle of older sources is left behind. @throws Error with the message to show */
export async function build() {
  const from = sources();
  const key = keyOf(from);
  rmSync(KEY, { force: true });
  for (const folder of [BUNDLE, WEB_BUNDLE]) rmSync(folder, { recursive: true, force: true });
  compile();
  buildWasm();
  for (const path of from.filter(isShader)) writeFileSync(`${path.replace(/^src/, "dist")}.js`, wgslModule(path));
  removeStaleOutput(new Set(from));
  await bundle();
  await bundleWeb();
  writeFileSync(KEY, key);
}

function sources() {
  return walk("src", (path) => isShader(path) || (path.endsWith(".ts") && !path.endsWith(".test.ts")));
}

function isShader(path) {
  return path.endsWith(".wgsl");
}

function keyOf(paths) {
  return hashOf([], [...CONFIG, ...paths]);
}

function compile() {
  const args = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"];
  const { status, error } = spawnSync(process.execPath, args, { stdio: ["ignore", 2, 2] });
  if (error !== undefined) throw new Error(`build: tsc did not start: ${error.message}`);
  if (status !== 0) throw new Error("build: tsc failed (see above)");
}

/** What tsc wrote earlier for a source file that is gone would otherwise still be importable, and published. */
function removeStaleOutput(from) {
  for (const path of walk("dist")) {
    const match = /^dist\/(.+?)(\.d\.ts|\.js|\.js\.map)$/.exec(path);
    if (match !== null && !from.has(`src/${match[1]}.ts`) && !from.has(`src/${match[1]}`)) rmSync(path);
  }
}

async function bundle() {
  const { rolldown } = await import("rolldown"); // not at the top: set-up may have to install it first
  const bundler = await rolldown({
    input: ENTRIES.map((name) => `./dist/runtime/${name}.js`),
    external: /^[^./]/, // packages and Node's own modules
    platform: "node",
    plugins: [{ name: "tsc-source-maps", load: withSourceMap }],
  });
  // Not minified: starts no faster, and traces stay readable.
  const groups = [{ name: "base", test: EVERYWHERE }];
  await bundler.write({ dir: BUNDLE, sourcemap: true, chunkFileNames: "[name].js", codeSplitting: { groups } });
  await bundler.close();
}

/**
 * What a page's worker needs is in its file, packages included (see NOTICE), but for binaries and threads, which the wasm
 * backend finds beside itself: the folder is whole.
 */
async function bundleWeb() {
  const { rolldown } = await import("rolldown");
  for (const { path, file, external = [] } of WEB_FILES) {
    const bundler = await rolldown({
      input: `./dist/${path}.js`,
      platform: "browser",
      external,
      plugins: [
        { name: "tsc-source-maps", load: (path) => (path.includes("node_modules") ? null : withSourceMap(path)) },
        { name: "without-node", transform: withoutNode },
      ],
    });
    await bundler.write({ file, sourcemap: true, codeSplitting: false });
    await bundler.close();
  }
  for (const path of walk(WASM, (file) => file.endsWith(".wasm")))
    copyFileSync(path, `${WEB_BUNDLE}/${basename(path)}`);
}

/** Emscripten's ways into Node are never taken in a page, and bundlers would look for Node's modules. */
function withoutNode(code, path) {
  if (!path.includes("@mlc-ai/web-xgrammar")) return null;
  const pieces = [
    ["await import('module')", "({})"],
    ["require('u' + 'rl')", "({})"],
  ];
  for (const [from] of pieces) if (!code.includes(from)) throw new Error(`build: ${path} must have ${from}, got none`);
  return pieces.reduce((text, [from, to]) => text.replaceAll(from, to), code);
}

/** The bundle's maps lead to src/, not to what tsc has written. */
function withSourceMap(path) {
  return { code: readFileSync(path, "utf8"), map: readIfThere(`${path}.map`) ?? null }; // shaders have none
}

if (isMain(import.meta.url)) {
  process.chdir(ROOT);
  try {
    await build();
  } catch (error) {
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  }
}
