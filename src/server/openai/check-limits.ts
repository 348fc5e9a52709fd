import { GemmaError } from "../../base/errors.js";
import type { Serving } from "../serving.js";

/** Holds a request to the limits that this server was started with. @throws ERR_RANGE that names the field */
export function checkLimits(
  { options: { limits } }: Serving,
  input: {
    readonly n?: number | null | undefined;
    readonly max_tokens?: number | null | undefined;
    readonly max_completion_tokens?: number | null | undefined;
    readonly max_output_tokens?: number | null | undefined;
  },
  prompts = 1,
): void {
  atMost("n", input.n ?? 1, limits.choices);
  atMost("prompt", prompts, limits.batchPrompts);
  // Each of its texts is work of its own.
  const mostTexts = Math.max(limits.choices, limits.batchPrompts);
  if ((input.n ?? 1) * prompts > mostTexts)
    atMost("n", input.n ?? 1, Math.floor(mostTexts / prompts), ` for ${prompts} prompts`);
  if (limits.maxTokens === undefined) return;
  atMost("max_tokens", input.max_tokens ?? 0, limits.maxTokens);
  atMost("max_completion_tokens", input.max_completion_tokens ?? 0, limits.maxTokens);
  atMost("max_output_tokens", input.max_output_tokens ?? 0, limits.maxTokens);
}

function atMost(param: string, value: number, most: number, when = ""): void {
  if (value > most) {
    throw new GemmaError("ERR_RANGE", `${param}: must be at most ${most}${when} on this server, got ${value}`, {
      param,
    });
  }
}
