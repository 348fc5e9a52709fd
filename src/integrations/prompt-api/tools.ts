import type { ChatMessage, ToolCall } from "../../engine/chat.js";
import type { LanguageModelTool } from "./types.js";

/** Runs the calls together. @throws what a tool throws */
export function runTools(
  tools: readonly LanguageModelTool[],
  calls: readonly ToolCall[],
): Promise<readonly ChatMessage[]> {
  return Promise.all(
    calls.map(async ({ id, name, arguments: args }): Promise<ChatMessage> => {
      const tool = tools.find((candidate) => candidate.name === name);
      const content = tool ? String(await tool.execute(args)) : `There is no tool "${name}".`;
      return { role: "tool", content, toolCallId: id };
    }),
  );
}
