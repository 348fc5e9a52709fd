import { h, type VNode } from "../dom/node.js";
import type { Texts } from "../text/texts.js";
import { detail } from "./detail.js";
import { benchmarkNamed, figure, PUBLISHED, PUBLISHED_MODELS, settingOf } from "./figures.js";
import { mark, markAt } from "./marks.js";

const MODELS = PUBLISHED_MODELS.map(({ id }) => id);
const FIRST = PUBLISHED[0]!.benchmark;

/**
 * The chart as the build writes it: complete without a script, which only makes it answer (interactive.ts). Places are
 * percentages inside SVG, so that it fits any width without being drawn again.
 */
export function chartSection(texts: Texts): VNode {
  const { benchmarks } = texts.product;
  return h(
    "div",
    { id: "chart", class: "chart" },
    h(
      "form",
      { class: "chart-controls", hidden: true },
      h(
        "fieldset",
        { class: "models" },
        h("legend", {}, benchmarks.models),
        ...PUBLISHED_MODELS.map(({ id, title }) =>
          h(
            "label",
            {},
            h("input", { type: "checkbox", name: "model", value: id, checked: true }),
            mark(id),
            " ",
            title,
          ),
        ),
      ),
      h(
        "fieldset",
        { class: "segmented" },
        h("legend", { class: "visually-hidden" }, benchmarks.view.label),
        ...(["chart", "table"] as const).map((view, i) =>
          h(
            "label",
            {},
            h("input", { type: "radio", name: "view", value: view, checked: i === 0 }),
            h("span", {}, benchmarks.view[view]),
          ),
        ),
      ),
    ),
    h(
      "div",
      { class: "chart-view", "data-view": "chart" },
      h(
        "div",
        { id: "detail", class: "detail", "aria-live": "polite" },
        ...detail(benchmarkNamed(FIRST), MODELS, texts),
      ),
      overview(texts),
    ),
    h(
      "div",
      {
        class: "table-view scroll",
        "data-view": "table",
        tabindex: 0,
        role: "region",
        "aria-label": benchmarks.caption,
        hidden: true,
      },
      table(texts),
    ),
    h("p", { class: "note" }, `* ${benchmarks.otherMethod}`),
    h("p", { class: "note" }, benchmarks.source),
    h("pre", { tabindex: 0 }, h("code", { id: "eval-command" }, evalCommand(FIRST))),
  );
}

export function evalCommand(benchmark: string): string {
  return `./gemma eval --model hf:google/gemma-2b --tasks ${benchmark} --out runs/${benchmark.replaceAll("_", "-")}`;
}

function overview(texts: Texts): VNode {
  const { benchmarks } = texts.product;
  return h(
    "fieldset",
    { class: "overview" },
    h("legend", {}, benchmarks.choose, h("span", { class: "scale" }, ` ${benchmarks.scale}`)),
    ...PUBLISHED.map((row) =>
      h(
        "label",
        { class: "row", "data-benchmark": row.benchmark },
        h("input", { type: "radio", name: "benchmark", value: row.benchmark, checked: row.benchmark === FIRST }),
        h("span", { class: "name" }, row.title, " ", h("small", {}, settingOf(row, texts))),
        h(
          "svg",
          { class: "track", "aria-hidden": "true", focusable: "false" },
          ...[0, 25, 50, 75, 100].map((at) =>
            h("line", { class: "grid", x1: `${at}%`, x2: `${at}%`, y1: "0", y2: "100%" }),
          ),
          ...[...MODELS].reverse().map((model) => markAt(model, row.scores[model])), // Gemma's on top
        ),
      ),
    ),
    h("div", { id: "chart-tip", class: "tip", "aria-hidden": "true", hidden: true }),
  );
}

function table(texts: Texts): VNode {
  const { benchmarks } = texts.product;
  return h(
    "table",
    {},
    h("caption", {}, benchmarks.caption),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, benchmarks.choose),
        h("th", { scope: "col" }, benchmarks.setting),
        ...PUBLISHED_MODELS.map(({ id, title }) => h("th", { scope: "col", "data-model": id }, title)),
      ),
    ),
    h(
      "tbody",
      {},
      ...PUBLISHED.map((row) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, row.title),
          h("td", {}, settingOf(row, texts) || "–"),
          ...MODELS.map((model) => h("td", { class: "number", "data-model": model }, figure(row, model, texts))),
        ),
      ),
    ),
  );
}
