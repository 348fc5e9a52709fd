import type { Gemma } from "../runtime/gemma.js";
import type { LoadProgress } from "../runtime/protocol.js";
import type { ServerLog } from "../server/options/options.js";
import { loadSettings } from "./model-options.js";
import type { ServeFlags } from "./serve.js";

/** Of a server: more clients than an application has, and prompts that begin as others did a while ago. */
const SEQUENCES = 64;
const PREFIX_CACHE_MIB = 512;

/** How often a long download tells how far it is. */
const PROGRESS_MS = 10_000;

/** Loads the model that the flags name; what the load says goes to the log. */
export async function loadForServer(flags: ServeFlags, log: ServerLog, signal: AbortSignal): Promise<Gemma> {
  const { Gemma } = await import("../runtime/gemma.js");
  const { model, adapter, maxSequences, prefixCache } = flags;
  const gemma = await Gemma.load(model, {
    ...loadSettings(flags),
    maxSequences: maxSequences ?? SEQUENCES,
    prefixCacheBytes: (prefixCache ?? PREFIX_CACHE_MIB) * 2 ** 20,
    ...(adapter === undefined ? {} : { adapters: adapter }),
    signal,
    onNote: (line) => log.info({}, line),
    onProgress: sparsely((progress) => log.info(progress, "loading")),
  });
  const { name, backend, contextLength, loadMs } = gemma.info;
  log.info(
    { model: name, backend, contextLength, loadMs: Math.round(loadMs), adapters: gemma.adapters },
    "model loaded",
  );
  return gemma;
}

/** Of many reports only those that come after a while. */
function sparsely(
  report: (progress: LoadProgress) => void,
  now: () => number = () => performance.now(),
): (progress: LoadProgress) => void {
  let lastMs = now();
  return (progress) => {
    if (now() - lastMs < PROGRESS_MS) return;
    lastMs = now();
    report(progress);
  };
}
