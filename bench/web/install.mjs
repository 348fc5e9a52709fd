// wllama beside this file, for the comparison that needs it.
import { fileURLToPath } from "node:url";
import { installBeside } from "../lib/npm-peer.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
export const PEER = "3.13.0";
const NAME = "@wllama/wllama";
export const PEER_FOLDER = `${here}node_modules/${NAME}/esm/`;

export function installPeer() {
  installBeside(here, NAME, [`${NAME}@${PEER}`]);
}
