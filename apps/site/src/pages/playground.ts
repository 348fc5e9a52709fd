import { h, type VNode } from "../dom/node.js";
import type { Texts } from "../text/texts.js";
import { layout } from "./layout.js";

export function playgroundPage(texts: Texts): VNode[] {
  return layout(texts, "playground", h("h1", {}, texts.playground.heading));
}
