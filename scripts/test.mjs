// npm test               sets up, checks the project, runs the quick tests, then those with real weights
// npm test -- --quick    leaves out the tests with real weights
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { setupOrExit } from "./setup.mjs";
import { buildSite } from "./site.mjs";

const MODEL = "gemma-3-270m";
const node = process.execPath;

const CHECKS = {
  "lint (biome)": ["node_modules/@biomejs/biome/bin/biome", "check", "."],
  "types (tsc)": ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"],
  "types of the site (tsc)": ["node_modules/typescript/bin/tsc", "-p", "apps/site/tsconfig.json"],
  "layers point down": ["scripts/check-layers.mjs"],
  "file lengths": ["scripts/check-loc.mjs"],
  "docs/errors.md is up to date": ["scripts/gen-error-docs.mjs", "--check"],
  "src/base/sha256-wasm.ts is up to date": ["scripts/gen-sha256.mjs", "--check"],
  "docs/cli.md is up to date": ["scripts/gen-cli-docs.mjs", "--check"],
  "supply chain": ["scripts/check-supply.mjs"],
  "no unused code (knip)": ["node_modules/knip/bin/knip.js", "--no-progress"],
  "package (publint)": ["node_modules/publint/src/cli.js", "--strict"],
};

const sum = { passed: 0, failed: 0, skipped: 0 };

await setupOrExit();
await buildSite();
for (const [name, args] of Object.entries(CHECKS)) check(name, args);
// Files beside the code run two at a time, the others alone: they start browsers and servers, and watch clocks.
vitest("units", ["src/", "--maxWorkers=2"]);
vitest("quick", ["--exclude", "**/src/**", "--exclude", "test/real/**", "--maxWorkers=1"]);
if (existsSync("test/real") && !process.argv.includes("--quick")) {
  vitest("real", ["test/real", "--maxWorkers=1"], { ...process.env, ...realModel() });
}
process.stdout.write(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exitCode = sum.failed === 0 ? 0 : 1;

/** Runs one check; shows its output only when it fails. */
function check(name, args) {
  const { status, stdout, stderr } = spawnSync(node, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const isPassed = status === 0;
  sum[isPassed ? "passed" : "failed"] += 1;
  process.stdout.write(`${isPassed ? "ok    " : "FAILED"} ${name}\n`);
  if (!isPassed) process.stdout.write(`${stdout}${stderr}\n`);
}

/** Runs vitest and adds its counts to the sum. */
function vitest(part, args, env = process.env) {
  const report = `build/vitest-${part}.json`;
  mkdirSync("build", { recursive: true });
  rmSync(report, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const { status } = spawnSync(node, ["node_modules/vitest/vitest.mjs", "run", ...args, ...reporters], {
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : {};
  sum.passed += counts.numPassedTests ?? 0;
  sum.skipped += (counts.numPendingTests ?? 0) + (counts.numTodoTests ?? 0);
  // A file that does not even load fails without a failed test.
  sum.failed += Math.max(counts.numFailedTests ?? 0, status === 0 ? 0 : 1);
}

/** Fetches the weights as a user would. @returns the environment that tells the tests where they are; {} if they cannot be had */
function realModel() {
  if (process.env.GEMMA_TEST_MODEL) return {};
  const { status, stdout, stderr } = spawnSync(node, ["dist/cli/main.js", "pull", MODEL, "--json"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (status === 0) return { GEMMA_TEST_MODEL: JSON.parse(stdout).path };
  process.stdout.write(`\nSKIPPED: the tests with real weights, because ${MODEL} could not be fetched:\n${stderr}\n`);
  return {};
}
