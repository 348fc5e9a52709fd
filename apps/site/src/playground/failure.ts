import { h, type VNode } from "../dom/node.js";
import type { Texts } from "../text/texts.js";
import { PlaygroundError } from "./engine.js";

/** The same with `code` and `hint`, which errors of gemma-ts have. */
interface Coded {
  readonly code?: unknown;
  readonly hint?: unknown;
}

/** What went wrong, where it went wrong, with what to do next. */
export function failure(error: unknown, texts: Texts, retry?: () => void): VNode {
  const { errors } = texts.playground;
  const { code, hint } = (error instanceof Error ? error : {}) as Coded;
  const isKnown = error instanceof PlaygroundError || typeof code === "string";
  const message = error instanceof Error ? error.message : String(error);
  if (!isKnown) console.error(error);
  return h(
    "div",
    { class: "failure", role: "alert" },
    h("strong", {}, errors.heading),
    !isKnown && h("p", {}, errors.unexpected),
    h("p", {}, message),
    code === "ERR_DISK_FULL" && h("p", {}, errors.storage),
    typeof hint === "string" && h("p", {}, hint),
    typeof code === "string" && h("p", { class: "soft" }, `${errors.code}: `, h("code", {}, code)),
    retry !== undefined && h("button", { type: "button", class: "small", onclick: retry }, errors.retry),
  );
}

/** Whether somebody wanted this end. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
