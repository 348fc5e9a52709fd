// Compiles src/backends/native into build/native/gemma.node with the system's C++ compiler.
//   node scripts/build-native.mjs          only what changed since the last build; silent when nothing did
//   node scripts/build-native.mjs --asan   build/native/gemma-asan.node, with address and undefined-behaviour checks
// Needs only node: modules and node_modules/node-api-headers. CXX chooses the compiler.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashOf, isMain, readIfThere, walk, withLock } from "./lib/files.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = "src/backends/native";
const KERNELS = `${SOURCES}/kernels`;
const HEADERS = "node_modules/node-api-headers/include";
const OUT = "build/native";

// Kernel files are compiled once per instruction set, with -DGEMMA_ISA=<name> as their namespace.
// The order matters: where two objects hold the same inline function, the linker keeps the first,
// so the plainest comes first and baseline code never runs into AVX.
const AVX2 = ["-mavx2", "-mfma", "-mf16c"];
const AVX2_VNNI = [...AVX2, "-mavxvnni"];
const AVX512 = [..."-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni".split(" "), "-mprefer-vector-width=512"];
const ISAS = {
  x64: {
    scalar: [],
    avx2: AVX2,
    avx2vnni: AVX2_VNNI,
    avx512: [...AVX2, ...AVX512],
    avx512bf16: [...AVX2, ...AVX512, "-mavx512bf16"],
  },
  arm64: {
    scalar: [],
    neon: ["-march=armv8.2-a+dotprod+fp16"],
    neoni8mm: ["-march=armv8.2-a+dotprod+fp16+i8mm"],
  },
};

// AVX-VNNI's instruction in the encoding of AVX-512 VNNI, which more machines can run: g++ calls scripts/lib/evex/as.
const EVEX = ["-B", "scripts/lib/evex/"];

const COMMON = [
  ..."-std=c++17 -fPIC -pthread -fvisibility=hidden -ffp-contract=off".split(" "),
  ..."-Wall -Wextra -Werror=return-type".split(" "),
  `-I${SOURCES}`,
  `-isystem${HEADERS}`,
];
const RELEASE = ["-O3"];
const ASAN = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined".split(" ");

/** No compiler, or none that works here. The caller may go on without the native backend. */
export class NoCompilerError extends Error {}

/**
 * Builds the addon if it is not up to date. Progress goes to stderr.
 * @param evex build/native/gemma-evex.node: avx2vnni alone, for tests on machines with AVX-512 VNNI; needs g++
 * @param arch another than this machine's needs a cross-compiler in CXX; the addon is gemma-<arch>.node
 * @returns the path of the .node file, or undefined while there is no native source
 * @throws NoCompilerError without a compiler; Error with the compiler's output when a file does not compile
 */
export async function buildNative({ asan = false, evex = false, arch = process.arch } = {}) {
  process.chdir(ROOT);
  // Empty for an ordinary build; others have files of their own.
  const kind = [...(asan ? ["asan"] : []), ...(evex ? ["evex"] : []), ...(arch === process.arch ? [] : [arch])].join(
    "-",
  );
  const target = `${OUT}/gemma${kind && `-${kind}`}.node`;
  const isas = evex ? { scalar: [], avx2vnni: [...AVX2_VNNI, ...EVEX] } : (ISAS[arch] ?? { scalar: [] });
  const flags = [
    ...COMMON,
    ...(asan ? ASAN : RELEASE),
    ...(evex ? ["-DGEMMA_EVEX=1"] : []),
    ...Object.keys(isas).map((isa) => `-DGEMMA_HAVE_${isa.toUpperCase()}=1`),
  ];

  const units = plan(isas, flags, [process.env.CXX ?? "", arch], kind);
  if (units.length === 0) {
    process.stderr.write(`native: no source under ${SOURCES} yet, nothing to build\n`);
    return undefined;
  }
  const key = hashOf(units.map((unit) => unit.object));
  const isFresh = () => existsSync(target) && readIfThere(`${target}.key`) === key;
  if (isFresh()) return target;

  const compiler = findCompiler();
  if (!existsSync(HEADERS)) throw new Error(`native: ${HEADERS} is missing; run \`npm run setup\``);
  return withLock(`${OUT}/lock`, async () => {
    if (isFresh()) return target;
    mkdirSync(objects(kind), { recursive: true });
    await compileAll(
      compiler,
      units.filter((unit) => !existsSync(unit.object)),
    );
    await link(compiler, units, target, asan);
    writeFileSync(`${target}.key`, key);
    removeOldObjects(units, kind);
    return target;
  });
}

/** One unit per object file. The object's name holds the hash of all that goes into it: if it exists, it is up to date. */
function plan(isas, flags, compiler, kind) {
  const unit = (isa, source, unitFlags) => {
    const hash = hashOf([...compiler, ...unitFlags], withIncludes(source)).slice(0, 16);
    return {
      isa,
      source,
      flags: unitFlags,
      object: `${objects(kind)}/${isa}-${basename(source, ".cc")}-${hash}.o`,
    };
  };
  const isCc = (path) => path.endsWith(".cc");
  const addon = walk(SOURCES, (path) => isCc(path) && !path.startsWith(`${KERNELS}/`)).map((source) =>
    unit("addon", source, flags),
  );
  const kernels = Object.entries(isas).flatMap(([isa, isaFlags]) =>
    walk(KERNELS, isCc).map((source) => unit(isa, source, [...flags, ...isaFlags, `-DGEMMA_ISA=${isa}`])),
  );
  return [...addon, ...kernels];
}

/** The file and, transitively, the project's own files that it includes with quotes. */
function withIncludes(source, seen = new Set()) {
  if (seen.has(source)) return [];
  seen.add(source);
  const files = [source];
  for (const [, name] of readFileSync(source, "utf8").matchAll(/^\s*#\s*include\s*"([^"]+)"/gm)) {
    const found = [join(dirname(source), name), join(SOURCES, name)].find((path) => existsSync(path));
    if (found !== undefined) files.push(...withIncludes(found.replaceAll("\\", "/"), seen));
  }
  return files;
}

function findCompiler() {
  if (process.platform === "win32") {
    throw new NoCompilerError(
      "native: no build for Windows itself yet; use WSL (Ubuntu), or go on with `--backend reference`",
    );
  }
  const candidates = process.env.CXX ? [process.env.CXX] : ["g++", "clang++", "c++"];
  const found = candidates.find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0);
  if (found !== undefined) return found;
  const install =
    process.platform === "darwin"
      ? "xcode-select --install"
      : "apt-get install g++ (Debian, Ubuntu), dnf install gcc-c++ (Fedora), apk add g++ (Alpine)";
  throw new NoCompilerError(
    `native: no C++ compiler (looked for ${candidates.join(", ")})\n  install one: ${install}\n  or go on without it: --backend reference (slow)`,
  );
}

async function compileAll(compiler, units) {
  const queue = [...units];
  let done = 0;
  const worker = async () => {
    for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) {
      const temporary = `${unit.object}.${process.pid}`;
      try {
        await run(compiler, [...unit.flags, "-c", unit.source, "-o", temporary], unit.source);
      } catch (error) {
        queue.length = 0;
        throw error;
      }
      renameSync(temporary, unit.object);
      done += 1;
      process.stderr.write(`native: [${done}/${units.length}] ${unit.isa} ${unit.source.slice(SOURCES.length + 1)}\n`);
    }
  };
  const results = await Promise.allSettled(
    Array.from({ length: Math.min(availableParallelism(), units.length) }, worker),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function link(compiler, units, target, asan) {
  const shared = process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"];
  const sanitize = asan ? ["-fsanitize=address,undefined"] : [];
  const temporary = `${target}.${process.pid}`;
  await run(
    compiler,
    [...shared, "-pthread", ...sanitize, ...units.map((unit) => unit.object), "-o", temporary],
    target,
  );
  // A rename: processes that have the old addon open keep it.
  renameSync(temporary, target);
  process.stderr.write(`native: ${target}\n`);
}

function removeOldObjects(units, kind) {
  const wanted = new Set(units.map((unit) => basename(unit.object)));
  for (const name of readdirSync(objects(kind))) {
    if (!wanted.has(name)) rmSync(`${objects(kind)}/${name}`, { force: true });
  }
}

/** The folder of a build's objects. */
function objects(kind) {
  return `${OUT}/obj${kind && `-${kind}`}`;
}

/** Runs the compiler; its warnings appear, and its errors are the thrown message. */
function run(command, args, what) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "pipe"] });
    let output = "";
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0) return reject(new Error(`native: ${what} does not compile\n${output}`));
      process.stderr.write(output);
      resolve();
    });
  });
}

if (isMain(import.meta.url)) {
  try {
    await buildNative({ asan: process.argv.includes("--asan") });
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
