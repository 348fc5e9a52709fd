import { h, type VNode } from "../dom/node.js";
import type { PublishedModel } from "./figures.js";

/** Models are told apart by form as well as by colour: Gemma's are stones, solid for the larger one. */
const FORMS: Readonly<Record<PublishedModel, VNode>> = {
  "gemma-7b": h("path", { d: "M0-7 7 0 0 7-7 0z", fill: "currentColor" }),
  "gemma-2b": h("path", { d: "M0-6 6 0 0 6-6 0z", fill: "var(--paper)", stroke: "currentColor", "stroke-width": 2 }),
  "mistral-7b": h("path", { d: "M0-5.5 5.5 4.5h-11z", fill: "currentColor" }),
  "llama-2-13b": h("circle", { r: 4.5, fill: "currentColor" }),
  "llama-2-7b": h("circle", { r: 4, fill: "var(--paper)", stroke: "currentColor", "stroke-width": 2 }),
};

/** A model's mark in a line of text. */
export function mark(model: PublishedModel): VNode {
  return h(
    "svg",
    { class: `mark ${model}`, viewBox: "-8 -8 16 16", "aria-hidden": "true", focusable: "false" },
    FORMS[model],
  );
}

/** The mark at its value on a scale from 0 to 100, inside an svg that is as wide as the scale. */
export function markAt(model: PublishedModel, value: number): VNode {
  return h(
    "svg",
    { class: `at ${model}`, "data-model": model, x: `${value}%`, y: "50%", overflow: "visible" },
    FORMS[model],
  );
}
