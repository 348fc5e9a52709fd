import { GemmaError } from "../../base/errors.js";
import type { ChatMessage, PlainMessage, Tool, ToolCall } from "../chat.js";
import { MAX_JSON_DEPTH, writeJson } from "../schema/write-json.js";
import type { Calling } from "./calling.js";
import type { WrittenCall } from "./calls.js";

// The form is that of Google's guide (ai.google.dev/gemma/docs/capabilities/function-calling), in JSON; the fence of
// results is that of its examples. The guide has one call an answer, so the sentence on several is ours.

const FORM = `You have access to functions. If you decide to invoke any of the function(s), you MUST put it in the format of {"name": function name, "parameters": dictionary of argument name and its value}`;
const SEVERAL = "If you decide to invoke several functions, you MUST put them in a JSON array";
const ALONE = "You SHOULD NOT include any other text in the response if you call a function";

/**
 * The conversation with its calls, their results and the tools as text. Tools become the last of the system messages,
 * so that they stand in front of the first question. With the choice "none" there are none; any other leaves the text as
 * it is, and with it what the cache remembers of it.
 *
 * @throws ERR_USAGE for a result whose call is not in the conversation
 */
export function plainMessages(messages: readonly ChatMessage[], { tools, choice, parallel }: Calling): PlainMessage[] {
  const waiting = new WaitingCalls();
  const plain = messages.map((message, i): PlainMessage => {
    const { role, content } = message;
    if (role === "tool")
      return { role: "user", content: writeResult(waiting.answered(message, i), content), isResult: true };
    if (role !== "assistant" || !message.toolCalls?.length) return { role, content };
    for (const call of message.toolCalls) waiting.add(call);
    const calls = writeCalls(message.toolCalls);
    return { role, content: content.trim() === "" ? calls : `${content}\n\n${calls}` };
  });
  if (tools.length === 0 || choice === "none") return plain;
  return [...plain, { role: "system", content: writeTools(tools, parallel) }];
}

/** Ids of all calls of a conversation. */
export function idsOf(messages: readonly ChatMessage[]): readonly string[] {
  return messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id));
}

/** Calls whose results have not come. */
class WaitingCalls {
  private readonly all = new Set<{ readonly call: ToolCall }>(); // in their order; one call may wait twice
  private readonly byId = new Map<string, { readonly call: ToolCall }[]>();

  add(call: ToolCall): void {
    const waiting = { call };
    this.all.add(waiting);
    const alike = this.byId.get(call.id);
    if (alike) alike.push(waiting);
    else this.byId.set(call.id, [waiting]);
  }

  /** The call that a result answers: the one with its id, else the first that waits. */
  answered({ toolCallId }: ChatMessage, index: number): ToolCall {
    const [first] = this.all;
    const id = toolCallId ?? first?.call.id;
    const waiting = id === undefined ? undefined : this.byId.get(id)?.shift();
    if (waiting) {
      this.all.delete(waiting);
      return waiting.call;
    }
    const what =
      toolCallId === undefined ? "have a call before it" : `name a call before it, got ${JSON.stringify(toolCallId)}`;
    throw new GemmaError("ERR_USAGE", `messages[${index}]: a tool's result must ${what}`);
  }
}

/** On one line: with the guide's line ends and indents the list takes twice as many tokens. */
function writeTools(tools: readonly Tool[], parallel: boolean): string {
  const list = tools.map(({ name, description, parameters = { type: "object", properties: {} } }) => {
    return { name, description, parameters };
  });
  const form = parallel ? `${FORM}\n${SEVERAL}` : FORM;
  return `${form}\n\n${ALONE}\n${writeJson(list, () => tooDeep("tools: parameters"))}`;
}

/** Calls as the model is asked to write them, and as grammars write them. */
function writeCalls(calls: readonly WrittenCall[]): string {
  const written = calls.map(({ name, arguments: given }) =>
    writeJson({ name, parameters: given }, () => tooDeep("messages: arguments of calls")),
  );
  return written.length === 1 ? written[0]! : `[${written.join(", ")}]`;
}

function writeResult({ name }: ToolCall, content: string): string {
  return `\`\`\`tool_output\n{"name": ${JSON.stringify(name)}, "result": ${isJson(content) ? content.trim() : JSON.stringify(content)}}\n\`\`\``;
}

function isJson(content: string): boolean {
  try {
    JSON.parse(content);
    return true;
  } catch {
    return false;
  }
}

function tooDeep(what: string): GemmaError {
  return new GemmaError("ERR_USAGE", `${what} must be at most ${MAX_JSON_DEPTH} deep, got more`);
}
