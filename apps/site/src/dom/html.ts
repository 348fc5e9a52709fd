import { type Child, isVNode, type VNode } from "./node.js";

const VOID = new Set(["br", "hr", "img", "input", "link", "meta"]);

/** Children as HTML. Text and attributes are escaped. */
export function toHtml(child: Child): string {
  if (child === null || child === undefined || child === false) return "";
  if (isVNode(child)) return element(child);
  if (typeof child === "object") return child.map(toHtml).join("");
  return escaped(String(child));
}

function element({ tag, attrs, children }: VNode): string {
  const written = Object.entries(attrs).map(([name, value]) => {
    if (value === false || value === null || value === undefined || typeof value === "function") return "";
    return value === true ? ` ${name}` : ` ${name}="${escaped(String(value))}"`;
  });
  const open = `<${tag}${written.join("")}>`;
  return VOID.has(tag) ? open : `${open}${children.map(toHtml).join("")}</${tag}>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
