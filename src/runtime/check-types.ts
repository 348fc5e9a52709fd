import { GemmaError } from "../base/errors.js";
import type { ChatMessage } from "../engine/chat.js";
import type { RequestOptions } from "../engine/options.js";
import type { Prompt } from "./protocol.js";

// Callers without TypeScript may pass anything: wrong types end as wrong usage here, not as a failure further in.

/** @throws ERR_USAGE `model: must be a string, got 5` */
export function expectText(what: string, value: unknown): asserts value is string {
  if (typeof value !== "string") throw wrongType(what, "a string", value);
}

/** Whether each id is one of the vocabulary's is checked where the ids are used. @throws ERR_USAGE */
export function expectIds(what: string, value: unknown): asserts value is readonly number[] {
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  if (!isList) throw wrongType(what, "an array of token ids", value);
}

/** @throws ERR_USAGE */
export function expectPrompt(value: unknown): asserts value is Prompt {
  if (typeof value === "string") return;
  if (Array.isArray(value) && value.every(isSegment)) return;
  if (typeof value !== "object" || value === null || !("ids" in value)) {
    throw wrongType("prompt", "a string, { ids } or segments", value);
  }
  expectIds("prompt ids", value.ids);
}

/** @throws ERR_USAGE */
export function expectMessages(messages: readonly ChatMessage[]): void {
  if (!Array.isArray(messages)) throw wrongType("messages", "an array", messages);
  for (const [i, { content, toolCalls, toolCallId }] of (messages as readonly ChatMessage[]).entries()) {
    expectText("chat message", content);
    if (toolCallId !== undefined) expectText(`messages[${i}].toolCallId`, toolCallId);
    if (toolCalls !== undefined) expectToolCalls(`messages[${i}].toolCalls`, toolCalls);
  }
}

function expectToolCalls(where: string, calls: unknown): void {
  if (!Array.isArray(calls)) throw wrongType(where, "an array", calls);
  for (const [i, call] of calls.entries()) {
    expectText(`${where}[${i}].id`, call?.id);
    expectText(`${where}[${i}].name`, call?.name);
    if (!isJsonObject(call.arguments))
      throw wrongType(`${where}[${i}].arguments`, "an object of JSON values", call.arguments);
  }
}

function isJsonObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false; // a cycle, a BigInt, or too deep
  }
}

function isSegment(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  if (value.kind === "text") return "text" in value && typeof value.text === "string";
  return value.kind === "control" && "name" in value && typeof value.name === "string";
}

function wrongType(what: string, wanted: string, value: unknown): GemmaError {
  const got = typeof value === "object" && value !== null ? "an object" : String(value);
  return new GemmaError("ERR_USAGE", `${what}: must be ${wanted}, got ${Array.isArray(value) ? "an array" : got}`);
}

/** @throws ERR_CONTEXT_FULL */
export function expectLength({ length }: readonly number[], { maxPromptTokens = Infinity }: RequestOptions): void {
  if (length <= maxPromptTokens) return;
  throw new GemmaError("ERR_CONTEXT_FULL", `prompt: must have at most ${maxPromptTokens} tokens, got ${length}`);
}
