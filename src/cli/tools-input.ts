import { GemmaError } from "../base/errors.js";
import type { Tool, ToolChoice } from "../engine/chat.js";
import { readJson } from "./schema-input.js";

/** What `--tools` and `--tool-choice` say. */
export interface ToolFlags {
  readonly tools?: string;
  readonly toolChoice?: string;
}

/**
 * The tools of a file: a JSON array of tools, also in OpenAI's form. They are checked here, before a model is loaded.
 * @throws ERR_USAGE, ERR_SCHEMA, ERR_INVALID_JSON, ERR_MISSING_FILE, ERR_LIMIT_EXCEEDED
 */
export async function readTools({ tools: path, toolChoice: chosen = "auto" }: ToolFlags): Promise<{
  readonly tools?: readonly Tool[];
  readonly toolChoice?: ToolChoice;
}> {
  if (path === undefined) {
    if (chosen === "auto") return {};
    throw new GemmaError("ERR_USAGE", "run: --tool-choice needs --tools", { hint: "add --tools FILE" });
  }
  const list = readJson(path, "--tools");
  const tools = Array.isArray(list) ? list.map(ownForm) : (list as readonly Tool[]); // expectCalling tells what it must be
  const choice: ToolChoice =
    chosen === "auto" || chosen === "none" || chosen === "required" ? chosen : { name: chosen };
  const calling = { tools, choice, parallel: true };
  const [{ expectCalling }, { callGrammar }] = await Promise.all([
    import("../engine/tools/calling.js"),
    import("../engine/tools/call-grammar.js"),
  ]);
  expectCalling(calling);
  callGrammar(calling, undefined);
  return { tools, toolChoice: choice };
}

/** `{"type": "function", "function": {…}}` is how OpenAI's API wraps a tool. */
function ownForm(tool: Tool & { readonly type?: unknown; readonly function?: Tool }): Tool {
  return tool?.type === "function" && tool.function !== undefined ? tool.function : tool;
}
