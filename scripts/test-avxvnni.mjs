// npm run test:avxvnni    the op conformance cases of the instruction set avx2vnni on a CPU with AVX-512 VNNI
// Few CPUs have AVX-VNNI. Its dot product exists in AVX-512 too, differently encoded, so the addon is built a second
// time, from the same source by the same compiler, with that encoding; everything else is as in the ordinary build.
// Where that cannot run it says why and ends with exit code 0, unless --required is given. Bench programs take the
// same addon with GEMMA_NATIVE_ADDON=build/native/gemma-evex.node.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildNative } from "./build-native.mjs";

const ISA = "avx2vnni";

const { values: options } = parseArgs({ options: { required: { type: "boolean" } } });
process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));

process.env.CXX ??= "g++";
if (process.platform !== "linux" || process.arch !== "x64") skip("needs Linux on x64");
const version = spawnSync(process.env.CXX, ["--version"], { encoding: "utf8" });
// clang assembles by itself and would keep the encoding that this CPU cannot run.
if (version.status !== 0 || /clang/.test(version.stdout)) skip("needs g++: apt-get install g++");

run(["scripts/build.mjs"]);
const addon = resolve(await buildNative({ evex: true }));
const isas = createRequire(import.meta.url)(addon)
  .isas()
  .split(",");
if (!isas.includes(ISA)) skip("this CPU has no AVX-512 VNNI");
run(["scripts/conformance.mjs", ISA], { ...process.env, GEMMA_NATIVE_ADDON: addon });

/** Ends this process, too, when the script fails. */
function run(args, env = process.env) {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit", env });
  if (status !== 0) process.exit(status ?? 1);
}

function skip(reason) {
  process.stdout.write(`SKIPPED: ${ISA} was not tested: ${reason}\n`);
  process.exit(options.required ? 1 : 0);
}
