import type { BaseLanguageModelInput, StructuredOutputMethodOptions } from "@langchain/core/language_models/base";
import {
  assembleStructuredOutputPipeline,
  createContentParser,
  createFunctionCallingParser,
} from "@langchain/core/language_models/structured_output";
import type { BaseMessage } from "@langchain/core/messages";
import type { Runnable } from "@langchain/core/runnables";
import { type JsonSchema7Type, toJsonSchema } from "@langchain/core/utils/json_schema";
import { isSerializableSchema, type SerializableSchema } from "@langchain/core/utils/standard_schema";
import { type InteropZodType, isInteropZodSchema } from "@langchain/core/utils/types";
import { GemmaError } from "../../base/errors.js";
import type { ChatGemma } from "./chat-model.js";

// biome-ignore lint/suspicious/noExplicitAny: as LangChain has it; interfaces have no index of unknown
export type Structured = Record<string, any>;

/** A schema of Zod or another library, or a JSON schema. */
export type OutputSchema<T extends Structured> = InteropZodType<T> | SerializableSchema<T> | Structured;

/** What `withStructuredOutput` gives. */
export type StructuredOutput<T extends Structured> =
  | Runnable<BaseLanguageModelInput, T>
  | Runnable<BaseLanguageModelInput, { raw: BaseMessage; parsed: T }>;

/**
 * The model with answers that conform to a schema. By the text itself ("jsonSchema", the default) or by a call that it
 * must make ("functionCalling"), either way under a grammar; "jsonMode": any JSON object.
 */
export function structuredOutput<T extends Structured>(
  model: ChatGemma,
  schema: OutputSchema<T>,
  { method = "jsonSchema", name, includeRaw }: StructuredOutputMethodOptions<boolean> = {},
): StructuredOutput<T> {
  const jsonSchema = (
    isInteropZodSchema(schema) || isSerializableSchema(schema) ? toJsonSchema(schema) : schema
  ) as Record<string, unknown>;
  const format = { ls_structured_output_format: { kwargs: { method }, schema: jsonSchema as JsonSchema7Type } };
  const runName = includeRaw ? "StructuredOutputRunnable" : "StructuredOutput";
  switch (method) {
    case "jsonSchema":
    case "jsonMode": {
      const asked = model.withConfig({
        ...format,
        jsonSchema: method === "jsonMode" ? { type: "object" } : jsonSchema,
      });
      return assembleStructuredOutputPipeline(asked, createContentParser<T>(schema), includeRaw, runName);
    }
    case "functionCalling": {
      const called = name ?? (typeof jsonSchema.title === "string" ? jsonSchema.title : "extract");
      const { description = "Takes the answer." } = jsonSchema as { readonly description?: string };
      const tool = { type: "function", function: { name: called, description, parameters: jsonSchema } };
      const asked = model.bindTools([tool], { ...format, tool_choice: called });
      return assembleStructuredOutputPipeline(
        asked,
        createFunctionCallingParser<T>(schema, called),
        includeRaw,
        runName,
      );
    }
    default:
      throw new GemmaError(
        "ERR_UNSUPPORTED_OPTION",
        `withStructuredOutput: method must be "jsonSchema", "jsonMode" or "functionCalling", got "${method}"`,
      );
  }
}
