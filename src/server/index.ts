// The server as a fetch handler

export type { Reading, ServerLog, ServerOptions } from "./options/options.js";
export { createServer, type GemmaServer } from "./server.js";

// Keys

export { KeyRing, type KeySettings, makeKey, parseKeysFile, type Scope, type StoredKey } from "./access/keys.js";
