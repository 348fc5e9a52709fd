import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { z } from "@hono/zod-openapi";
import { type ErrorCode, fromSystemError, GemmaError } from "../../base/errors.js";
import { operation } from "../routes.js";
import type { Serving } from "../serving.js";

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const name = z.string().regex(NAME, "must be 1 to 63 of a-z 0-9 . _ -");

/** Failures that say nothing of the adapter. */
const OF_THE_ENGINE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ERR_NOT_READY",
  "ERR_WORKER",
  "ERR_DISPOSED",
  "ERR_OUT_OF_MEMORY",
  "ERR_INTERNAL",
]);

const loaded = z.object({ status: z.string(), model: z.string() }).openapi("AdapterState");

/** Loads an adapter, also in place of one of the same name: requests under way keep the one they began with. */
export const loadAdapter = operation({
  method: "post",
  path: "/v1/load_lora_adapter",
  summary: "Load a PEFT LoRA adapter from the server's adapter folder",
  tag: "Adapters",
  scope: "admin",
  body: z.object({ lora_name: name, lora_path: z.string().min(1).max(1024) }).openapi("LoadAdapterRequest"),
  example: () => ({ lora_name: "my-adapter", lora_path: "my-adapter" }),
  response: loaded,
  async handle(serving, call, { lora_name: adapter, lora_path: path }) {
    const folder = await folderInside(serving, path);
    await serving.supervisor.addAdapter(adapter, folder).catch((error: unknown) => {
      if (!(error instanceof GemmaError) || OF_THE_ENGINE.has(error.code)) throw error;
      const what = error.message.replaceAll(folder, path); // where the folder lies is the server's own matter
      throw new GemmaError("ERR_BAD_REQUEST", what, { param: "lora_path", cause: error });
    });
    serving.log.info({ requestId: call.id, adapter }, "adapter loaded");
    return Response.json({ status: "loaded", model: `${serving.models.base}:${adapter}` });
  },
});

export const unloadAdapter = operation({
  method: "post",
  path: "/v1/unload_lora_adapter",
  summary: "Unload an adapter; requests under way finish with it",
  tag: "Adapters",
  scope: "admin",
  body: z.object({ lora_name: name }).openapi("UnloadAdapterRequest"),
  example: () => ({ lora_name: "my-adapter" }),
  response: loaded,
  async handle(serving, call, { lora_name: adapter }) {
    await serving.supervisor.removeAdapter(adapter);
    serving.log.info({ requestId: call.id, adapter }, "adapter unloaded");
    return Response.json({ status: "unloaded", model: `${serving.models.base}:${adapter}` });
  },
});

/** What the system says of a path that leads nowhere. */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"]);

/** @throws ERR_FORBIDDEN without an adapter folder, ERR_PATH_ESCAPE for what leads out of it, also by links */
async function folderInside({ options }: Serving, path: string): Promise<string> {
  if (options.adapterRoot === undefined) {
    throw new GemmaError("ERR_FORBIDDEN", "adapters: the server must have an adapter folder, got none", {
      hint: "start it with --adapter-root DIR",
    });
  }
  const outside = new GemmaError("ERR_PATH_ESCAPE", "lora_path: must lie inside the server's adapter folder", {
    param: "lora_path",
  });
  const isInside = (root: string, inner: string) => {
    const way = relative(root, inner);
    return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  };
  const wanted = resolve(options.adapterRoot, path);
  if (path.includes("\0") || !isInside(resolve(options.adapterRoot), wanted)) throw outside;
  const missing = (error: unknown) => {
    // The caller need not know where the folder lies.
    if (!ABSENT.has(String((error as NodeJS.ErrnoException).code))) throw fromSystemError(error, "lora_path");
    throw new GemmaError("ERR_NOT_FOUND", `lora_path: must be a folder inside the adapter folder, got ${path}`, {
      param: "lora_path",
    });
  };
  const [root, folder] = await Promise.all([realpath(options.adapterRoot), realpath(wanted)]).catch(missing);
  if (!isInside(root, folder)) throw outside;
  return folder;
}
