import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * The GGUF file of Gemma 3 270M for tests with real weights: $GEMMA_TEST_MODEL, else the one in the cache. Undefined,
 * with the reason printed, when there is none.
 */
export function realModelPath(): string | undefined {
  const named = process.env.GEMMA_TEST_MODEL;
  if (named !== undefined && named !== "") return named;
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const folder = join(process.env.GEMMA_HOME ?? join(cache, "gemma-ts"), "models", "gemma-3-270m");
  const file = existsSync(folder) ? readdirSync(folder).find((name) => name.endsWith(".gguf")) : undefined;
  if (file !== undefined) return join(folder, file);
  console.warn(
    `skipped: tests with real weights need GEMMA_TEST_MODEL or a .gguf in ${folder} (gemma pull gemma-3-270m)`,
  );
  return undefined;
}
