import { isPlain } from "../engine/chat.js";
import type { GenerateOptions } from "../engine/options.js";
import type { Conversation } from "./protocol.js";
import type { ToolAnswer } from "./tool-answer.js";

// What few requests need is imported by the first of them: a load should not wait for it.

/** null for a conversation that has nothing to do with tools. */
export async function toolAnswer(params: Conversation, options: GenerateOptions): Promise<ToolAnswer | null> {
  const { tools, choice } = params.calling;
  if (tools.length === 0 && (choice === "auto" || choice === "none") && isPlain(params.messages)) return null;
  const { ToolAnswer } = await import("./tool-answer.js");
  return new ToolAnswer(params, options);
}

/** null: no schema. @throws ERR_SCHEMA */
export async function grammarOf(jsonSchema: unknown): Promise<string | null> {
  if (jsonSchema === undefined) return null;
  const { schemaGrammar } = await import("../engine/schema/schema-grammar.js");
  return schemaGrammar(jsonSchema);
}
