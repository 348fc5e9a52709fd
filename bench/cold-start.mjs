// From process start to the first text of `gemma run`, with the weights in the page cache.
//   npm run bench:cold-start -- [--model NAME] [--runs N]
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { resolveModel } from "../dist/load/pull.js";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const { values } = parseArgs({
  options: { model: { type: "string", default: "gemma-3-270m" }, runs: { type: "string", default: "9" } },
});

const { path } = await resolveModel(values.model);
if (path.endsWith(".gguf")) readFileSync(path); // into the page cache
await firstTextMs(); // and Node's own files
const empty = await emptyNodeMs();
const times = [];
for (let i = 0; i < Number(values.runs); i++) times.push(await firstTextMs());
times.sort((a, b) => a - b);

console.log(
  `${cpus()[0]?.model}, ${cpus().length} CPUs, load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}, ${path}`,
);
console.log(`an empty Node process: ${show(empty)}`);
console.log(
  `gemma run, first text: best ${show(times[0])}, median ${show(times[times.length >> 1])}, worst ${show(times.at(-1))}`,
);

/** Wall time until the first byte of the answer. @throws when there is none */
function firstTextMs() {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const args = [MAIN, "run", "--model", path, "--max-tokens", "1", "--temperature", "0", "Once upon a time"];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
    let ms;
    child.stdout.on("data", () => {
      ms ??= performance.now() - start;
    });
    child.on("close", (code) => (code === 0 && ms !== undefined ? resolve(ms) : reject(new Error(`exit ${code}`))));
  });
}

function emptyNodeMs() {
  return new Promise((resolve) => {
    const start = performance.now();
    spawn(process.execPath, ["-e", "0"]).on("close", () => resolve(performance.now() - start));
  });
}

function show(ms) {
  return `${ms.toFixed(0)} ms`;
}
