// Compiles src/backends/wasm/kernels (AssemblyScript) into dist/backends/wasm/*.wasm, one file a variant.
//   node scripts/build-wasm.mjs      nothing when they are up to date
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { hashOf, isMain, readIfThere, walk } from "./lib/files.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = "src/backends/wasm";
const OUT = "dist/backends/wasm";
const KEY = "dist/.wasm-key";
const MAX_PAGES = 65536; // of 64 KB: 4 GB

const COMMON = [
  ..."-O3 --noAssert --runtime stub --use abort= --importMemory --memoryBase 4096 --lowMemoryLimit 4096".split(" "),
  ..."--enable simd --initialMemory 1 --disableWarning 112 --disableWarning 201".split(" "),
];
// Threads need shared memory, and a page that is not isolated from others has none.
const THREADS = ["--enable", "threads", "--sharedMemory", "--maximumMemory", String(MAX_PAGES)];
const RELAXED = ["--enable", "relaxed-simd"];
const VARIANTS = {
  simd: [],
  "simd-threads": THREADS,
  "relaxed-simd": RELAXED,
  "relaxed-simd-threads": [...RELAXED, ...THREADS],
};

/** @throws Error with the message to show */
export function buildWasm() {
  const sources = [...walk(`${SOURCES}/kernels`, (path) => path.endsWith(".ts")), `${SOURCES}/layout.ts`];
  const key = hashOf([], ["package-lock.json", "scripts/build-wasm.mjs", ...sources]);
  const files = Object.keys(VARIANTS).map((name) => `${OUT}/${name}.wasm`);
  if (files.every((file) => existsSync(file)) && readIfThere(KEY) === key) return;
  mkdirSync(OUT, { recursive: true });
  for (const [name, flags] of Object.entries(VARIANTS)) {
    const file = `${OUT}/${name}.wasm`;
    const entry = `${SOURCES}/kernels/index.ts`;
    const temporary = `${file}.${process.pid}`;
    const args = ["node_modules/assemblyscript/bin/asc.js", entry, "-o", temporary, ...COMMON, ...flags];
    const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (error !== undefined) throw new Error(`wasm: asc did not start: ${error.message}`);
    if (status !== 0) throw new Error(`wasm: the kernels do not compile\n${stdout}${stderr}`);
    renameSync(temporary, file);
  }
  writeFileSync(KEY, key);
}

if (isMain(import.meta.url)) {
  process.chdir(ROOT);
  try {
    buildWasm();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
