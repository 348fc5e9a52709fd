import { GemmaError } from "../../base/errors.js";
import { operation } from "../routes.js";

const OPERATIONS = [
  ["post", "/api/pull"],
  ["post", "/api/push"],
  ["post", "/api/create"],
  ["post", "/api/copy"],
  ["delete", "/api/delete"],
  ["post", "/api/blobs/:digest"],
] as const;

/** What Ollama's clients may ask of a store of models, which this server is not. */
export const unsupported = OPERATIONS.map(([method, path]) =>
  operation({
    method,
    path,
    summary: "Not supported",
    tag: "Ollama",
    isHidden: true,
    response: "application/json",
    handle() {
      throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${path}: is not supported, this server serves one model`, {
        hint: "to serve another, run `gemma pull MODEL` and `gemma serve MODEL`",
      });
    },
  }),
);
