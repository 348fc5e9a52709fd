// node-llama-cpp beside this file, for the comparisons that need it.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
export const PEER = "3.22.1";

/** The peer and the one binary package that this machine needs, without its install scripts. */
export function installPeer() {
  if (existsSync(`${here}node_modules/node-llama-cpp`)) return;
  console.error(`installing node-llama-cpp ${PEER} for this comparison`);
  const binary = `@node-llama-cpp/${process.platform}-${process.arch}@${PEER}`;
  const flags = ["--no-save", "--ignore-scripts", "--omit=optional", "--no-package-lock", "--prefix", here];
  const stdio = ["ignore", "ignore", "inherit"];
  execFileSync("npm", ["install", ...flags, `node-llama-cpp@${PEER}`, binary], { stdio });
}
