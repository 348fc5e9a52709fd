import { type Child, h } from "./node.js";

/** A text of ours with `code`, **strong** and [links](address). */
export function rich(text: string): readonly Child[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)]+\))/).map((part) => {
    if (part.startsWith("`")) return h("code", {}, part.slice(1, -1));
    if (part.startsWith("**")) return h("strong", {}, part.slice(2, -2));
    const link = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part);
    return link === null ? part : h("a", { href: link[2] }, link[1]);
  });
}
