// Fuzzes the native addon under address and undefined-behaviour checks: right calls mixed with wrong handles, sizes and
// types (src/backends/native/addon.test.ts), from a new seed each round.
//   npm run fuzz:native -- [seconds]     default: 60
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { buildNative } from "./build-native.mjs";

const seconds = Number(process.argv[2] ?? 60);
if (!(seconds > 0)) {
  process.stderr.write("usage: npm run fuzz:native -- [seconds]\n");
  process.exit(2);
}

const addon = resolve(await buildNative({ asan: true }));
const env = {
  ...process.env,
  GEMMA_NATIVE_ADDON: addon,
  GEMMA_FUZZ_CALLS: "200000",
  // Node is not built with the checks: their library has to be there before it.
  LD_PRELOAD: sanitizerLibrary(),
  // Node's own memory is not ours to judge; a refused allocation is an error, not a crash.
  ASAN_OPTIONS: "detect_leaks=0:allocator_may_return_null=1:abort_on_error=1",
  UBSAN_OPTIONS: "print_stacktrace=1",
};

const end = Date.now() + seconds * 1000;
let round = 0;
do {
  const seed = Date.now() % 2 ** 31;
  const args = ["node_modules/vitest/vitest.mjs", "run", "src/backends/native/addon.test.ts", "--testTimeout=600000"];
  const { status } = spawnSync(process.execPath, args, {
    env: { ...env, GEMMA_FUZZ_SEED: String(seed) },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) {
    process.stderr.write(`fuzz: failed with seed ${seed}; repeat it with GEMMA_FUZZ_SEED=${seed}\n`);
    process.exit(1);
  }
  round += 1;
} while (Date.now() < end);
process.stdout.write(`fuzz: ${round} rounds of ${env.GEMMA_FUZZ_CALLS} calls, nothing found\n`);

/** The compiler's own libasan.so, with libstdc++ behind it: its hooks look for that. */
function sanitizerLibrary() {
  const compiler = process.env.CXX ?? "g++";
  const find = (name) => execFileSync(compiler, [`-print-file-name=${name}`], { encoding: "utf8" }).trim();
  const libraries = ["libasan.so", "libstdc++.so"].map(find).filter((path) => existsSync(path));
  if (libraries.length === 0) throw new Error(`fuzz: ${compiler} has no libasan.so; install libasan, or use g++`);
  return libraries.join(" ");
}
