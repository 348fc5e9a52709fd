// wllama beside this file, for the comparison that needs it.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
export const PEER = "3.13.0";
export const PEER_FOLDER = `${here}node_modules/@wllama/wllama/esm/`;

/** The peer, without its install scripts: its WebAssembly is in the package. */
export function installPeer() {
  if (existsSync(PEER_FOLDER)) return;
  console.error(`installing wllama ${PEER} for this comparison`);
  const flags = ["--no-save", "--ignore-scripts", "--no-package-lock", "--prefix", here];
  execFileSync("npm", ["install", ...flags, `@wllama/wllama@${PEER}`], { stdio: ["ignore", "ignore", "inherit"] });
}
