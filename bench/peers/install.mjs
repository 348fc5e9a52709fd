// node-llama-cpp beside this file, for the comparisons that need it.
import { fileURLToPath } from "node:url";
import { installBeside } from "../lib/npm-peer.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
export const PEER = "3.22.1";

/** The peer and the one binary package that this machine needs. */
export function installPeer() {
  const binary = `@node-llama-cpp/${process.platform}-${process.arch}@${PEER}`;
  installBeside(here, "node-llama-cpp", [`node-llama-cpp@${PEER}`, binary], ["--omit=optional"]);
}
