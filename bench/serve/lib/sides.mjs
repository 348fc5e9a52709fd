// The two servers: how each is started, and where it counts.
import { fileURLToPath } from "node:url";
import { total } from "./metrics.mjs";

const CLI = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));

/**
 * @param setup { model, threads, streams, context, flags, cli }
 *     context: tokens of one request, prompt and answer. flags: more of them. cli: another build's command line
 */
export function gemmaSide({ model, threads, streams, context, flags = [], cli = CLI }) {
  const settings = { "--model": model, "--threads": threads, "--ctx": context, "--max-sequences": streams };
  return {
    name: "gemma serve",
    command: process.execPath,
    args: (port) => [cli, "serve", "--port", String(port), ...Object.entries(settings).flat().map(String), ...flags],
    readyPath: "/readyz",
    /** Rows of prompts computed since the start. */
    computedTokens: (metrics) => total(metrics, "gemma_computed_prompt_tokens_total"),
  };
}

/** How threads of llama-server may wait for each other: spinning, which is its default, or not. */
export const WAITING = ["active", "passive"];

/**
 * As many slots as clients, and context for all of them; what is faster by default stays on.
 *
 * @param setup as above, with `waiting`: one of WAITING
 */
export function llamaSide({ program, model, threads, streams, context, waiting, flags = [] }) {
  const settings = { "-m": model, "-t": threads, "-tb": threads, "-np": streams, "-c": streams * context };
  const rest = ["-fa", "auto", "--no-ui", "--metrics", "--offline", ...flags];
  return {
    name: "llama-server",
    command: program,
    args: (port) => ["--port", String(port), ...Object.entries(settings).flat().map(String), ...rest],
    env: { OMP_WAIT_POLICY: waiting },
    readyPath: "/health",
    computedTokens: (metrics) => total(metrics, "llamacpp:prompt_tokens_total"),
  };
}
