import type { ToolDefinition } from "@langchain/core/language_models/base";
import type { BindToolsInput, ToolChoice as LangChainChoice } from "@langchain/core/language_models/chat_models";
import { convertToOpenAITool } from "@langchain/core/utils/function_calling";
import { defined } from "../../base/defined.js";
import { GemmaError } from "../../base/errors.js";
import type { Tool, ToolChoice } from "../../engine/chat.js";

/** Tools of LangChain in OpenAI's form, and those that have it. @throws ERR_UNSUPPORTED_OPTION for other forms */
export function toDefinition(given: BindToolsInput): ToolDefinition {
  const definition: Partial<ToolDefinition> = convertToOpenAITool(given);
  const { type, function: described } = definition;
  if (type === "function" && typeof described?.name === "string") return { type, function: described };
  throw new GemmaError(
    "ERR_UNSUPPORTED_OPTION",
    `tools: must be tools of LangChain or { type: "function", function }, got ${JSON.stringify(given)}`,
  );
}

export function toTool(given: BindToolsInput): Tool {
  const described: ToolDefinition["function"] & { readonly strict?: boolean } = toDefinition(given).function;
  const { name, description, parameters, strict } = described;
  return defined({ name, description, strict, parameters: parameters as Tool["parameters"] });
}

/** "any" is LangChain's word for "required"; any other string, or OpenAI's form, names a tool. */
export function toToolChoice(choice: LangChainChoice): ToolChoice {
  if (choice === "auto" || choice === "none" || choice === "required") return choice;
  if (choice === "any") return "required";
  const name: unknown = typeof choice === "string" ? choice : choice.function?.name;
  if (typeof name === "string") return { name };
  throw new GemmaError("ERR_UNSUPPORTED_OPTION", `tool_choice: must name a tool, got ${JSON.stringify(choice)}`);
}
