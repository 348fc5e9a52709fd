import { GemmaError } from "../../base/errors.js";
import type { Tool } from "../chat.js";
import { chars, choice, type Expr, Grammar, optional, repeat, sequence, text } from "../schema/grammar.js";
import { resolveRef } from "../schema/ref.js";
import { schemaGrammar, setSchema } from "../schema/schema-grammar.js";
import { COMBINATORS, isObject, own, type SchemaObject, typesOf } from "../schema/types.js";
import type { Calling } from "./calling.js";

/** Calls in one array: a small model would go on until its answer is cut, and then have called nothing. */
const MAX_CALLS = 16;

const SPACES = chars([
  [0x09, 0x0a],
  [0x0d, 0x0d],
  [0x20, 0x20],
]);
/** What free text may begin with: no space, brace or bracket, nor the mark of a code fence, for so begin calls. */
const BEGINNING = chars(
  [
    [0x21, 0x5a],
    [0x5c, 0x5f],
    [0x61, 0x7a],
    [0x7c, 0x7e],
  ],
  true,
);
const ANYTHING = chars([[0x00, 0x7e]], true); // but DEL: a class that leaves out nothing has no notation

/**
 * The grammar of an answer that may, or must, call tools. Where a call must be made, and for tools that are strict, its
 * arguments conform to the tool's parameters.
 *
 * @param jsonSchema what an answer without calls conforms to; undefined: it is free, but does not begin like a call
 * @returns null where an answer is not held to anything
 * @throws ERR_SCHEMA `tools[0].parameters: #/properties/a/multipleOf is not supported`
 */
export function callGrammar(calling: Calling, jsonSchema: unknown): string | null {
  const { tools, choice: chosen, parallel } = calling;
  if (chosen === "none" || tools.length === 0) return jsonSchema === undefined ? null : schemaGrammar(jsonSchema);
  const isFree = chosen === "auto";
  if (isFree && jsonSchema === undefined && !tools.some(({ strict }) => strict)) return null;

  const grammar = new Grammar();
  const root = grammar.declare("#", "root");
  const call = grammar.declare("#", "call");
  const options: Expr[] = [];
  for (const [i, tool] of tools.entries()) {
    if (typeof chosen === "object" && tool.name !== chosen.name) continue;
    const rule = grammar.declare("#", `tool${i}`);
    setSchema(grammar, rule, isFree && !tool.strict ? { type: "object" } : enforced(tool, `tools[${i}].parameters`));
    options.push(sequence(text(`{"name": ${JSON.stringify(tool.name)}, "parameters": `), rule, text("}")));
  }
  grammar.set(call, choice(...options));
  const list = sequence(text("["), call, repeat(sequence(text(", "), call), 0, MAX_CALLS - 1), text("]"));
  const calls = parallel && typeof chosen === "string" ? choice(call, list) : call;
  grammar.set(root, isFree ? choice(calls, freeAnswer(grammar, jsonSchema)) : calls);
  return grammar.print();
}

function freeAnswer(grammar: Grammar, jsonSchema: unknown): Expr {
  const rule = grammar.declare("#", "answer");
  if (jsonSchema !== undefined) setSchema(grammar, rule, jsonSchema);
  else {
    const endless = (part: Expr) => repeat(part, 0, Number.POSITIVE_INFINITY);
    grammar.set(rule, sequence(endless(SPACES), optional(sequence(BEGINNING, endless(ANYTHING)))));
  }
  return rule;
}

/** Checks what a tool's arguments will be held to. @throws ERR_SCHEMA that names the tool */
function enforced({ parameters = { properties: {} } }: Tool, where: string): SchemaObject {
  try {
    const schema = objectSchema(parameters);
    schemaGrammar(schema);
    return schema;
  } catch (error) {
    if (!(error instanceof GemmaError) || error.code !== "ERR_SCHEMA") throw error;
    throw new GemmaError("ERR_SCHEMA", error.message.replace(/^schema:/, `${where}:`));
  }
}

/** Arguments are an object, also where their schema does not say so; `properties: {}` means that there are none. */
function objectSchema(parameters: SchemaObject): SchemaObject {
  let target: unknown = parameters;
  for (let hops = 0; hops < 16 && isObject(target); hops++) {
    const ref = own(target, "$ref");
    if (typeof ref !== "string") break;
    target = resolveRef(parameters, ref, "#/$ref");
  }
  const alone = [...COMBINATORS, "enum", "const"].some((key) => isObject(target) && Object.hasOwn(target, key));
  const types = isObject(target) && !alone ? (typesOf(target, "#") ?? ["object"]) : [];
  if (types.join() !== "object")
    throw new GemmaError("ERR_SCHEMA", "schema: # must describe an object by its properties");
  if (target !== parameters) return parameters;
  const properties = own(parameters, "properties");
  const isEmpty = isObject(properties) && Object.keys(properties).length === 0;
  return { ...(isEmpty ? { additionalProperties: false } : {}), ...parameters, type: "object" };
}
