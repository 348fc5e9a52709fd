import { chartSection } from "../chart/section.js";
import { h, type VNode } from "../dom/node.js";
import { rich } from "../dom/rich.js";
import type { Language, Texts } from "../text/texts.js";
import { HERO_TOKENS } from "./hero-tokens.js";
import { gem, layout } from "./layout.js";
import { START_CODE } from "./start-code.js";

/** The product page, as the build writes it. */
export function productPage(texts: Texts): VNode[] {
  const { product } = texts;
  return layout(
    texts,
    "product",
    hero(texts),
    family(product.family),
    responsible(product.responsible),
    framework(product.framework),
    section("benchmarks", product.benchmarks, chartSection(texts)),
    tuning(product.tuning),
    cloud(product.cloud),
    start(product.start),
  );
}

function hero({ product: { hero }, language }: Texts): VNode {
  return h(
    "section",
    { class: "hero" },
    h(
      "div",
      { class: "words" },
      h("h1", {}, hero.heading),
      h("p", { class: "lead" }, hero.lead),
      h(
        "p",
        { class: "actions" },
        h("a", { class: "button primary", href: "playground/" }, hero.try),
        h("a", { class: "button", href: "#start" }, hero.start),
      ),
    ),
    heroFigure(hero.figure, language as Language),
  );
}

function heroFigure(figure: Texts["product"]["hero"]["figure"], language: Language): VNode {
  const number = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
  const tokens = HERO_TOKENS[language].map(([text, id, chance]) =>
    h(
      "li",
      {},
      h("span", { class: "text" }, text.startsWith(" ") ? h("i", { "aria-hidden": "true" }, "·") : null, text.trim()),
      h("span", { class: "id" }, id),
      h(
        "svg",
        { class: "chance", "aria-hidden": "true", focusable: "false" },
        h("rect", { class: "track", width: "100%", height: "100%" }),
        h("rect", { class: "fill", width: `${(chance * 100).toFixed(1)}%`, height: "100%" }),
      ),
      h("span", { class: "percent" }, chance < 0.005 ? `< ${number.format(0.01)}` : number.format(chance)),
    ),
  );
  return h(
    "figure",
    { class: "reading" },
    h("p", { class: "label" }, figure.label),
    h("ol", {}, ...tokens),
    h("figcaption", {}, figure.caption),
  );
}

function section(id: string, texts: { readonly heading: string; readonly lead: string }, ...content: VNode[]): VNode {
  return h(
    "section",
    { id, class: "part", "aria-labelledby": `${id}-heading` },
    h("div", { class: "intro" }, h("h2", { id: `${id}-heading` }, texts.heading), h("p", {}, ...rich(texts.lead))),
    h("div", { class: "content" }, ...content),
  );
}

function family(texts: Texts["product"]["family"]): VNode {
  const [, ...sizes] = texts.columns;
  return section(
    "family",
    texts,
    h(
      "dl",
      { class: "versions" },
      ...texts.versions.map(({ tag, name, text }) =>
        h("div", {}, h("dt", {}, h("span", { class: "tag" }, tag), " ", name), h("dd", {}, text)),
      ),
    ),
    h(
      "table",
      { class: "sizes" },
      h("caption", {}, texts.caption),
      h(
        "thead",
        {},
        h("tr", {}, h("td", {}), ...sizes.map((size) => h("th", { scope: "col" }, gem("gem small"), " ", size))),
      ),
      h(
        "tbody",
        {},
        ...texts.rows.map(([name, ...values]) =>
          h("tr", {}, h("th", { scope: "row" }, name), ...values.map((value) => h("td", {}, value))),
        ),
      ),
    ),
    h("p", { class: "aside" }, texts.also),
  );
}

function responsible(texts: Texts["product"]["responsible"]): VNode {
  return section(
    "responsible",
    texts,
    h(
      "ul",
      { class: "points" },
      ...texts.points.map(({ name, text }) => h("li", {}, h("h3", {}, name), h("p", {}, text))),
    ),
    h("p", { class: "aside" }, ...rich(texts.toolkit)),
  );
}

function framework(texts: Texts["product"]["framework"]): VNode {
  return section(
    "framework",
    texts,
    h(
      "div",
      { class: "groups" },
      ...texts.groups.map(({ name, items }) =>
        h("div", {}, h("h3", {}, name), h("ul", { class: "plain" }, ...items.map((item) => h("li", {}, item)))),
      ),
    ),
  );
}

function tuning(texts: Texts["product"]["tuning"]): VNode {
  return section(
    "tuning",
    texts,
    h(
      "ol",
      { class: "steps" },
      ...texts.steps.map(({ name, text }) => h("li", {}, h("h3", {}, name), h("p", {}, text))),
    ),
    code(START_CODE.tuning),
  );
}

function cloud(texts: Texts["product"]["cloud"]): VNode {
  return section(
    "cloud",
    texts,
    code(START_CODE.server),
    h("ul", { class: "ticks" }, ...texts.points.map((point) => h("li", {}, ...rich(point)))),
  );
}

function start(texts: Texts["product"]["start"]): VNode {
  const kinds = ["terminal", "program", "page"] as const;
  return section(
    "start",
    texts,
    h(
      "div",
      { class: "samples" },
      ...kinds.map((kind) =>
        h(
          "div",
          { class: "sample" },
          h(
            "div",
            { class: "sample-head" },
            h("h3", {}, texts.tabs[kind]),
            h(
              "button",
              { type: "button", class: "quiet small", "data-copy": kind, "data-done": texts.copied, hidden: true },
              texts.copy,
            ),
          ),
          code(START_CODE[kind], kind),
        ),
      ),
    ),
    h("p", {}, h("a", { href: "playground/" }, texts.playground)),
    h("p", { class: "aside" }, ...rich(texts.community)),
  );
}

function code(text: string, id?: string): VNode {
  return h("pre", { tabindex: 0, ...(id === undefined ? {} : { id: `code-${id}` }) }, h("code", {}, text));
}
