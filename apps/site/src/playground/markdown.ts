import { type Child, h, type VNode } from "../dom/node.js";

/** Parts of a text that stand by themselves: what was complete stays as it is while more comes. */
export function blocksOf(text: string): string[] {
  const blocks: string[] = [];
  let lines: string[] = [];
  let isCode = false;
  for (const line of text.split("\n")) {
    if (/^\s*```/.test(line)) isCode = !isCode;
    if (!isCode && line.trim() === "" && lines.length > 0) {
      blocks.push(lines.join("\n"));
      lines = [];
    } else if (line.trim() !== "" || lines.length > 0) lines.push(line);
  }
  if (lines.length > 0) blocks.push(lines.join("\n"));
  return blocks;
}

/** The commonest Markdown of one block: code, headings, lists, paragraphs. Nothing else is markup, and HTML is text. */
export function blockNode(block: string): VNode {
  const fence = /^\s*```[^\n]*\n?([\s\S]*?)(?:\n?\s*```\s*)?$/.exec(block);
  if (fence !== null) return h("pre", { tabindex: 0 }, h("code", {}, fence[1]));
  const lines = block.split("\n");
  const heading = /^(#{1,6})\s+(.*)$/.exec(block);
  if (heading !== null && lines.length === 1) return h("p", { class: "heading" }, ...inline(heading[2]!));
  if (lines.every((line) => /^\s*[-*+]\s+/.test(line))) return list("ul", lines, /^\s*[-*+]\s+/);
  if (lines.every((line) => /^\s*\d+[.)]\s+/.test(line))) {
    const start = Number.parseInt(lines[0]!.trim(), 10);
    return list("ol", lines, /^\s*\d+[.)]\s+/, start);
  }
  return h("p", {}, ...lines.flatMap((line, i): Child[] => (i === 0 ? inline(line) : [h("br"), ...inline(line)])));
}

function list(tag: "ol" | "ul", lines: readonly string[], marker: RegExp, start = 1): VNode {
  const items = lines.map((line) => h("li", {}, ...inline(line.replace(marker, ""))));
  return h(tag, { start: start === 1 ? null : start }, ...items);
}

function inline(text: string): Child[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|(?<![\w*])\*[^*\s][^*]*\*(?![\w*]))/).map((part) => {
    if (part.length > 2 && part.startsWith("`") && part.endsWith("`")) return h("code", {}, part.slice(1, -1));
    if (part.length > 4 && part.startsWith("**") && part.endsWith("**")) return h("strong", {}, part.slice(2, -2));
    if (part.length > 2 && part.startsWith("*") && part.endsWith("*")) return h("em", {}, part.slice(1, -1));
    return part;
  });
}
