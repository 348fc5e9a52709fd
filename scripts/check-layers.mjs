// Proves the import direction: imports point down only, the same level never imports the same level,
// browser-safe folders import no Node module, nothing that a page's entries reach does (layers of Node have files that pages
// use), applications see the package's exports alone, optional packages are imported by their own folder alone, and there are
// no import cycles. Tests may import anything.
//   node scripts/check-layers.mjs [ROOT]
import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { posix } from "node:path";
import { isMain, walk } from "./lib/files.mjs";

// A unit is a folder of src/; each folder under backends/ and integrations/ is one of its own.
const GROUPS = new Set(["backends", "integrations"]);
const LEVELS = {
  base: 0,
  backend: 1,
  disk: 1,
  format: 1,
  lm: 1,
  model: 2,
  tokenizer: 2,
  "backends/*": 2,
  eval: 2,
  responsible: 2,
  engine: 3,
  tune: 3,
  load: 3,
  sandbox: 3,
  runtime: 4,
  testing: 4,
  web: 4.5, // the library's face in a page, and its engine's workers
  "index.ts": 4.5, // the public face of the library: it may show all of level 4
  server: 5,
  "integrations/*": 5,
  cli: 6,
};
const NODE_UNITS = new Set([
  "backends/native",
  "disk",
  "load",
  "sandbox",
  "tune",
  "runtime",
  "index.ts",
  "server",
  "cli",
]);
/** What a page, and each worker of it, begins with. */
const PAGE_ENTRIES = ["web/index.ts", "web/worker-web.ts", "web/grammar-worker-web.ts", "web/template-worker-web.ts"];
// Optional peer dependencies: elsewhere they would be missed by those who have not installed them.
const OPTIONAL = {
  "@ai-sdk/provider": "integrations/ai-sdk",
  "@langchain/core": "integrations/langchain",
  webgpu: "backends/webgpu",
};
const BUILTINS = new Set(builtinModules);

/** Every broken rule under `root`/src, a line each. */
export function layerErrors(root = ".") {
  const errors = [];
  const graph = new Map();
  const runs = new Map(); // what each file imports to run it, at once or later
  const nodeModules = new Map();
  for (const file of walk(`${root}/src`, (path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))) {
    const name = file.slice(root.length + 5); // relative to src/
    const unit = unitOf(name);
    const level = levelOf(unit);
    const edges = [];
    graph.set(name, edges);
    runs.set(name, []);
    if (level === undefined) {
      errors.push(`src/${name}: "${unit}" has no level; add it to scripts/check-layers.mjs and docs/architecture.md`);
      continue;
    }
    for (const { specifier, typeOnly, isErased } of importsOf(readFileSync(file, "utf8"))) {
      const isNode = specifier.startsWith("node:") || BUILTINS.has(specifier.split("/")[0]);
      if (isNode && !isErased) nodeModules.set(name, specifier);
      if (specifier.startsWith(".")) {
        const target = posix.join(posix.dirname(name), specifier).replace(/\.js$/, ".ts");
        if (!existsSync(`${root}/src/${target}`)) continue; // tsc reports it
        if (!typeOnly) edges.push(target);
        if (!isErased) runs.get(name).push(target);
        const other = unitOf(target);
        const otherLevel = levelOf(other);
        if (other !== unit && otherLevel !== undefined && otherLevel >= level) {
          errors.push(
            `src/${name}: imports ${specifier}, ${other} (level ${otherLevel}) is not below ${unit} (level ${level})`,
          );
        }
      } else if (!NODE_UNITS.has(unit) && isNode) {
        errors.push(`src/${name}: imports ${specifier}, but ${unit} must run in a browser`);
      } else if ((OPTIONAL[packageOf(specifier)] ?? unit) !== unit) {
        errors.push(`src/${name}: imports ${specifier}, which only ${OPTIONAL[packageOf(specifier)]} may`);
      }
    }
  }
  return [...errors, ...nodeInPages(runs, nodeModules), ...appErrors(root), ...cycles(graph)];
}

/** Node's modules that a page would have to load, each once, with the way there. */
function nodeInPages(runs, nodeModules) {
  const found = [];
  const seen = new Set();
  const visit = (name, path) => {
    if (seen.has(name)) return;
    seen.add(name);
    const way = [...path, name];
    if (nodeModules.has(name)) found.push(`pages cannot import ${nodeModules.get(name)}: ${way.join(" -> ")}`);
    for (const next of runs.get(name) ?? []) visit(next, way);
  };
  for (const entry of PAGE_ENTRIES) visit(entry, []);
  return found;
}

/** An application is what a user of the package could have written: it reaches nothing outside its folder by a path. */
function appErrors(root) {
  const errors = [];
  for (const file of walk(`${root}/apps`, (path) => path.endsWith(".ts"))) {
    const name = file.slice(root.length + 1);
    const app = `${name.split("/").slice(0, 2).join("/")}/`;
    for (const { specifier } of importsOf(readFileSync(file, "utf8"))) {
      const target = posix.join(posix.dirname(name), specifier);
      if (specifier.startsWith(".") && !target.startsWith(app))
        errors.push(`${name}: imports ${specifier}, but an application sees the package's exports alone`);
    }
  }
  return errors;
}

function unitOf(name) {
  const [first, second, third] = name.split("/");
  return GROUPS.has(first) && third !== undefined ? `${first}/${second}` : first;
}

function levelOf(unit) {
  return LEVELS[unit] ?? LEVELS[`${unit.split("/")[0]}/*`];
}

/** `@scope/name` of `@scope/name/sub/path`. */
function packageOf(specifier) {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** The module specifiers of a TypeScript source: static, re-exported and dynamic. Good enough without a parser. */
export function importsOf(source) {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const statements = code.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^;"']*?\sfrom\s+)?["']([^"']+)["']/gm);
  const dynamic = code.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g);
  return [
    ...Array.from(statements, ([, type, specifier]) => {
      return { specifier, typeOnly: type !== undefined, isErased: type !== undefined };
    }),
    // A dynamic import runs later, so it cannot close a cycle of initialisation.
    ...Array.from(dynamic, ([, specifier]) => ({ specifier, typeOnly: true, isErased: false })),
  ];
}

/** Import cycles, each once, as `a -> b -> a`. Type-only imports are erased and do not count. */
function cycles(graph) {
  const found = [];
  const state = new Map(); // name -> "open" | "done"
  const path = [];
  const visit = (name) => {
    if (state.get(name) === "done") return;
    if (state.get(name) === "open") {
      found.push(`import cycle: ${[...path.slice(path.indexOf(name)), name].join(" -> ")}`);
      return;
    }
    state.set(name, "open");
    path.push(name);
    for (const next of graph.get(name) ?? []) visit(next);
    path.pop();
    state.set(name, "done");
  };
  for (const name of graph.keys()) visit(name);
  return found;
}

if (isMain(import.meta.url)) {
  const errors = layerErrors(process.argv[2]);
  for (const error of errors) process.stderr.write(`${error}\n`);
  process.stdout.write(
    errors.length === 0 ? "layers: imports point down only\n" : `layers: ${errors.length} broken rules\n`,
  );
  process.exitCode = errors.length === 0 ? 0 : 1;
}
