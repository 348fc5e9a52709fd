import { domException } from "./errors.js";

/** How a response is constrained, and how its text is read. */
export interface Constraint {
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  /** The response in a complete text; null: the text is the response, piece by piece. */
  readonly read: ((text: string) => string) | null;
}

/** @throws TypeError; DOMException NotSupportedError for a regular expression with flags */
export function toConstraint(value: unknown): Constraint {
  if (value instanceof RegExp) {
    const flags = value.flags.replace(/[dguv]/g, "");
    if (flags !== "") throw domException("NotSupportedError", `responseConstraint: flag "${flags}" is not supported`);
    // Grammars write JSON: the match is a string of it.
    return { jsonSchema: { type: "string", pattern: value.source }, read: (text) => JSON.parse(text) };
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return { jsonSchema: value as Constraint["jsonSchema"], read: null };
  }
  throw new TypeError(`responseConstraint: must be a JSON schema or a RegExp, got ${value}`);
}
