import type { LanguageModelV4CallOptions, SharedV4Warning } from "@ai-sdk/provider";
import { defined } from "../../base/defined.js";
import type { Tool, ToolChoice } from "../../engine/chat.js";
import type { AnswerOptions } from "../../runtime/gemma.js";

/** Any JSON object. */
const FREE_JSON = { type: "object" } as const;

const OWN_OPTIONS = [
  "adapter",
  "minP",
  "repetitionPenalty",
  "logitBias",
  "promptLookup",
  "ignoreEos",
  "style",
  "parallelToolCalls",
  "tenant",
  "priority",
  "deadlineMs",
  "cacheSalt",
] as const satisfies readonly (keyof AnswerOptions)[];

/** Options of `gemma.answer` that the SDK has no name for: `providerOptions: { gemma: { minP: 0.05 } }`. */
export type GemmaProviderOptions = Pick<AnswerOptions, (typeof OWN_OPTIONS)[number]>;

/** The options of a call as those of `gemma.answer`. What is not supported adds a warning. */
export function toAnswerOptions(call: LanguageModelV4CallOptions, warnings: SharedV4Warning[]): AnswerOptions {
  const tools = functionTools(call.tools ?? [], warnings);
  if (call.reasoning !== undefined && call.reasoning !== "provider-default" && call.reasoning !== "none") {
    warnings.push({ type: "unsupported", feature: "reasoning" });
  }
  return defined({
    maxTokens: call.maxOutputTokens,
    temperature: call.temperature,
    topK: call.topK,
    topP: call.topP,
    presencePenalty: call.presencePenalty,
    frequencyPenalty: call.frequencyPenalty,
    stop: call.stopSequences,
    seed: call.seed,
    signal: call.abortSignal,
    jsonSchema: jsonSchema(call.responseFormat),
    ...(tools.length > 0 ? { tools, toolChoice: toolChoice(call.toolChoice) } : {}),
    ...ownOptions(call.providerOptions?.gemma ?? {}, warnings),
  });
}

function jsonSchema(format: LanguageModelV4CallOptions["responseFormat"]): AnswerOptions["jsonSchema"] {
  if (format?.type !== "json") return undefined;
  return (format.schema as AnswerOptions["jsonSchema"]) ?? FREE_JSON;
}

function functionTools(tools: NonNullable<LanguageModelV4CallOptions["tools"]>, warnings: SharedV4Warning[]): Tool[] {
  return tools.flatMap((tool) => {
    if (tool.type === "provider") {
      warnings.push({ type: "unsupported", feature: `provider-defined tool ${tool.id}` });
      return [];
    }
    const { name, description, inputSchema, strict } = tool;
    return [defined({ name, description, strict, parameters: inputSchema as Tool["parameters"] })];
  });
}

function toolChoice(choice: LanguageModelV4CallOptions["toolChoice"]): ToolChoice | undefined {
  return choice?.type === "tool" ? { name: choice.toolName } : choice?.type;
}

function ownOptions(given: Readonly<Record<string, unknown>>, warnings: SharedV4Warning[]): GemmaProviderOptions {
  const known = new Set<string>(OWN_OPTIONS);
  for (const name of Object.keys(given).filter((key) => !known.has(key))) {
    warnings.push({ type: "unsupported", feature: `providerOptions.gemma.${name}` });
  }
  return Object.fromEntries(Object.entries(given).filter(([key]) => known.has(key)));
}
