import { h, type VNode } from "../dom/node.js";
import type { Texts } from "../text/texts.js";
import { figure, PUBLISHED_MODELS, type PublishedBenchmark, type PublishedModel, settingOf } from "./figures.js";
import { mark } from "./marks.js";

/** One benchmark: what it asks, its setting, and a bar for each chosen model. */
export function detail(row: PublishedBenchmark, models: readonly PublishedModel[], texts: Texts): VNode[] {
  const { benchmarks } = texts.product;
  const setting = settingOf(row, texts);
  const chosen = PUBLISHED_MODELS.filter(({ id }) => models.includes(id));
  return [
    h("h3", {}, row.title, " ", setting !== "" && h("span", { class: "tag" }, setting)),
    h("p", { class: "about" }, benchmarks.about[row.benchmark]),
    chosen.length === 0
      ? h("p", { class: "none" }, benchmarks.nothingChosen)
      : h("ul", { class: "bars" }, ...chosen.map(({ id, title }) => bar(row, id, title, texts))),
    h("p", { class: "meaning" }, setting === "" ? benchmarks.noSetting : `${setting}: ${meaningOf(row, texts)}`),
  ];
}

function bar(row: PublishedBenchmark, id: PublishedModel, title: string, texts: Texts): VNode {
  return h(
    "li",
    { class: id },
    h("span", { class: "who" }, mark(id), " ", title),
    h(
      "svg",
      { class: "bar", "aria-hidden": "true", focusable: "false" },
      h("rect", { class: "track", width: "100%", height: "100%", rx: 3 }),
      h("rect", { class: "fill", width: `${row.scores[id]}%`, height: "100%", rx: 3 }),
    ),
    h("span", { class: "value" }, figure(row, id, texts)),
  );
}

function meaningOf({ setting }: PublishedBenchmark, { product }: Texts): string {
  const { settingMeaning } = product.benchmarks;
  return settingMeaning[setting as keyof typeof settingMeaning];
}
