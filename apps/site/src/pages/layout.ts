import { type Child, h, type VNode } from "../dom/node.js";
import { rich } from "../dom/rich.js";
import type { Texts } from "../text/texts.js";

export type PageName = "product" | "playground";

/** Sections that the header leads to, by their ids, which are the same in both languages. */
const SECTIONS = ["family", "responsible", "benchmarks", "tuning", "start"] as const;

/** The page around `main`. */
export function layout(texts: Texts, page: PageName, ...main: readonly Child[]): VNode[] {
  return [
    h("a", { class: "skip", href: "#main" }, texts.nav.skip),
    header(texts, page),
    h("main", { id: "main", tabindex: -1 }, ...main),
    page === "product" && footer(texts),
    h(
      "div",
      { id: "update", class: "update", role: "status", hidden: true },
      h("span", {}, texts.update.ready),
      h("button", { type: "button", class: "primary", "data-update": "apply" }, texts.update.apply),
      h("button", { type: "button", "data-update": "later" }, texts.update.later),
    ),
  ].filter((part) => part !== false);
}

function header(texts: Texts, page: PageName): VNode {
  const { nav } = texts;
  const other = texts.language === "en" ? "de" : "en";
  const toOther = page === "product" ? `../${other}/` : `../../${other}/playground/`;
  return h(
    "header",
    { class: "top" },
    h("a", { class: "brand", href: page === "product" ? "./" : "../" }, gem("gem"), texts.siteName),
    page === "product" &&
      h(
        "nav",
        { class: "sections", "aria-label": nav.label },
        h("ul", {}, ...SECTIONS.map((id) => h("li", {}, h("a", { href: `#${id}` }, nav.sections[id])))),
      ),
    h(
      "div",
      { class: "tools" },
      page === "product"
        ? h("a", { class: "button quiet", href: "playground/" }, nav.playground)
        : h("a", { class: "button quiet", href: "../" }, nav.product),
      h(
        "a",
        {
          id: "other-language",
          class: "button quiet",
          href: toOther,
          hreflang: other,
          lang: other,
          title: nav.languageLabel,
        },
        nav.language,
      ),
      h(
        "button",
        { id: "theme", type: "button", class: "button quiet icon", title: `${nav.theme.label}: ${nav.theme.auto}` },
        h("span", { class: "visually-hidden" }, `${nav.theme.label}: ${nav.theme.auto}`),
        themeIcon(),
      ),
    ),
  );
}

function footer({ footer }: Texts): VNode {
  return h("footer", {}, h("p", {}, ...rich(footer.terms)), h("p", {}, footer.private));
}

/** The project's mark: a cut stone. */
export function gem(name: string): VNode {
  return h(
    "svg",
    { class: name, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    h("path", { class: "facet-1", d: "M2 9 7 3h10l5 6z" }),
    h("path", { class: "facet-2", d: "M2 9h7l3 13z" }),
    h("path", { class: "facet-3", d: "M22 9h-7l-3 13z" }),
    h("path", { class: "facet-4", d: "M9 9h6l-3 13z" }),
  );
}

/** Half a disc: the scheme that is on, and the one that is not. */
function themeIcon(): VNode {
  return h(
    "svg",
    { class: "theme-icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    h("circle", { cx: 12, cy: 12, r: 8, fill: "none", stroke: "currentColor", "stroke-width": 2 }),
    h("path", { class: "half", d: "M12 4a8 8 0 0 1 0 16z", fill: "currentColor" }),
    h("circle", { class: "whole", cx: 12, cy: 12, r: 8, fill: "currentColor" }),
  );
}
