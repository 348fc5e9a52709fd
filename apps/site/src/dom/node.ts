/** An element that is not yet one: the build writes it as HTML, the page makes DOM nodes of it. */
export interface VNode {
  readonly tag: string;
  readonly attrs: Attrs;
  readonly children: readonly Child[];
}

export type Child = VNode | string | number | false | null | undefined | readonly Child[];

/** true: the bare attribute. false, null, undefined: none. A function: a listener, which HTML leaves out. */
export type Attrs = Readonly<
  Record<string, string | number | boolean | null | undefined | ((event: never) => unknown)>
>;

export function h(tag: string, attrs: Attrs = {}, ...children: readonly Child[]): VNode {
  return { tag, attrs, children };
}

export function isVNode(child: Child): child is VNode {
  return typeof child === "object" && child !== null && "tag" in child;
}
