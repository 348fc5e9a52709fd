import { GemmaError } from "../../base/errors.js";
import type { Tool, ToolChoice } from "../chat.js";

const MAX_TOOLS = 128;
const NAME = /^[\w.:/-]{1,128}$/;

/** What an answer may call. */
export interface Calling {
  readonly tools: readonly Tool[];
  readonly choice: ToolChoice;
  /** Whether one answer may hold several calls. */
  readonly parallel: boolean;
}

/**
 * What callers without TypeScript may get wrong, and names that make no sense.
 * @throws ERR_USAGE `tools[0].name: must be 1 to 128 letters, digits or _ . : / -, got "a b"`; ERR_RANGE for too many
 */
export function expectCalling({ tools, choice, parallel }: Calling): void {
  if (!Array.isArray(tools)) throw wrong("tools", "an array", tools);
  if (tools.length > MAX_TOOLS) {
    throw new GemmaError("ERR_RANGE", `tools: must be at most ${MAX_TOOLS}, got ${tools.length}`);
  }
  const names = new Set<string>();
  for (const [i, tool] of tools.entries()) {
    expectTool(tool, `tools[${i}]`);
    if (names.has(tool.name)) throw wrong(`tools[${i}].name`, "a name that no other tool has", tool.name);
    names.add(tool.name);
  }
  if (typeof parallel !== "boolean") throw wrong("parallelToolCalls", "true or false", parallel);
  if (choice === "auto" || choice === "none") return;
  if (choice === "required") {
    if (tools.length === 0) throw wrong("toolChoice", "auto or none where there are no tools", choice);
    return;
  }
  if (!isRecord(choice)) throw wrong("toolChoice", "auto, none, required or { name }", choice);
  if (!names.has(choice.name)) throw wrong("toolChoice", "the name of one of the tools", choice.name);
}

function expectTool(tool: Tool, where: string): void {
  if (!isRecord(tool)) throw wrong(where, "an object", tool);
  const { name, description, parameters, strict } = tool;
  if (typeof name !== "string" || !NAME.test(name)) {
    throw wrong(`${where}.name`, "1 to 128 letters, digits or _ . : / -", name);
  }
  if (description !== undefined && typeof description !== "string") {
    throw wrong(`${where}.description`, "a string", description);
  }
  if (parameters !== undefined && !isRecord(parameters)) throw wrong(`${where}.parameters`, "an object", parameters);
  if (strict !== undefined && typeof strict !== "boolean") throw wrong(`${where}.strict`, "true or false", strict);
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(where: string, wanted: string, value: unknown): GemmaError {
  return new GemmaError("ERR_USAGE", `${where}: must be ${wanted}, got ${show(value)}`);
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 200));
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "an array" : "an object";
}
