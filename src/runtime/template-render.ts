import { Template } from "@huggingface/jinja";

/** Characters that a chat template may write. */
const MAX_OUTPUT = 1 << 20;
const MAX_TEMPLATE = 1 << 18;

export interface TemplateInput {
  readonly template: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** "budget": too long, too deep or too much output. "failed": the template's own error, e.g. roles it does not know. */
export type TemplateOutput =
  | { readonly text: string }
  | { readonly failed: string; readonly kind: "budget" | "failed" };

/** Renders a chat template. It may run for ever: call it where it can be ended from outside. */
export function renderTemplate({ template, variables }: TemplateInput): TemplateOutput {
  if (template.length > MAX_TEMPLATE) {
    return { kind: "budget", failed: `must be at most ${MAX_TEMPLATE} characters, got ${template.length}` };
  }
  try {
    const text = new Template(template).render({ ...variables });
    if (text.length <= MAX_OUTPUT) return { text };
    return { kind: "budget", failed: `must write at most ${MAX_OUTPUT} characters, got ${text.length}` };
  } catch (error) {
    // A stack that overflows, or a string that grows too long.
    if (error instanceof RangeError) return { kind: "budget", failed: `must stay small, got: ${error.message}` };
    return { kind: "failed", failed: error instanceof Error ? error.message : String(error) };
  }
}
