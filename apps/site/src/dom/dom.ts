import { type Child, isVNode, type VNode } from "./node.js";

const SVG = "http://www.w3.org/2000/svg";

/** The element of a node, with its listeners (`onclick: …`). Text stays text: nothing here parses HTML. */
export function dom<E extends Element = HTMLElement>(node: VNode): E {
  return element(node, false) as Element as E;
}

/** Puts children in the place of what `parent` has. */
export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren(...children.flatMap((child) => nodes(child, false)));
}

export function append(parent: Element, ...children: readonly Child[]): void {
  parent.append(...children.flatMap((child) => nodes(child, false)));
}

/** The element with this id, which the page's HTML has. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`page: must have #${id}`);
  return found as E;
}

function element({ tag, attrs, children }: VNode, isInSvg: boolean): Element {
  const isSvg = isInSvg || tag === "svg";
  const made = isSvg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attrs)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") made.addEventListener(name.slice(2), value as EventListener);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flatMap((child) => nodes(child, isSvg)));
  return made;
}

function nodes(child: Child, isSvg: boolean): (Element | string)[] {
  if (child === null || child === undefined || child === false) return [];
  if (isVNode(child)) return [element(child, isSvg)];
  if (typeof child === "object") return child.flatMap((one) => nodes(one, isSvg));
  return [String(child)];
}
