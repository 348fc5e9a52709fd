import { byId, fill } from "../dom/dom.js";
import { h } from "../dom/node.js";
import { pageTexts } from "../text/texts.js";
import { detail } from "./detail.js";
import { benchmarkNamed, figure, PUBLISHED_MODELS, type PublishedModel, spoken } from "./figures.js";
import { mark } from "./marks.js";
import { evalCommand } from "./section.js";

/** Makes the chart answer: which benchmark, which models, chart or table, and values where one points. */
export function startChart(): void {
  const texts = pageTexts();
  const chart = byId("chart");
  const tip = byId("chart-tip");
  const form = chart.querySelector("form")!;
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());

  const chosenModels = (): PublishedModel[] =>
    PUBLISHED_MODELS.map(({ id }) => id).filter(
      (id) => chart.querySelector<HTMLInputElement>(`input[value="${id}"]`)!.checked,
    );
  const chosenBenchmark = () => chart.querySelector<HTMLInputElement>("input[name=benchmark]:checked")!.value;

  const show = () => {
    const models = chosenModels();
    const row = benchmarkNamed(chosenBenchmark());
    fill(byId("detail"), ...detail(row, models, texts));
    byId("eval-command").textContent = evalCommand(row.benchmark);
    for (const part of chart.querySelectorAll<HTMLElement>("[data-model]")) {
      part.classList.toggle("off", !models.includes(part.dataset.model as PublishedModel));
    }
  };
  chart.addEventListener("change", ({ target }) => {
    const input = target as HTMLInputElement;
    if (input.name === "view") {
      for (const view of chart.querySelectorAll<HTMLElement>("[data-view]"))
        view.hidden = view.dataset.view !== input.value;
    } else show();
  });

  const pointAt = (element: HTMLElement) => {
    const row = benchmarkNamed(element.dataset.benchmark!);
    const models = chosenModels();
    const best = PUBLISHED_MODELS.filter(({ id }) => models.includes(id)).sort(
      (a, b) => row.scores[b.id] - row.scores[a.id],
    );
    fill(
      tip,
      h("strong", {}, row.title),
      ...best.map(({ id, title }) =>
        h("div", { class: id }, mark(id), ` ${title} `, h("b", {}, figure(row, id, texts))),
      ),
    );
    tip.hidden = best.length === 0;
    const { top: parentTop, height: parentHeight } = tip.parentElement!.getBoundingClientRect();
    const { top, bottom } = element.getBoundingClientRect();
    const below = bottom - parentTop + 4;
    // Above the row where there is no room below it.
    tip.style.top = `${below + tip.offsetHeight > parentHeight ? top - parentTop - tip.offsetHeight - 4 : below}px`;
  };
  const hide = () => {
    tip.hidden = true;
  };
  for (const row of chart.querySelectorAll<HTMLElement>(".row")) {
    row.addEventListener("pointerenter", () => pointAt(row));
    row.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && hide());
    row.addEventListener("focusin", () => row.matches(":has(:focus-visible)") && pointAt(row));
    row.addEventListener("focusout", hide);
    const input = row.querySelector("input")!;
    // Recomputed when it is read, so it follows the chosen models.
    input.addEventListener("focus", () => {
      input.setAttribute("aria-description", spoken(benchmarkNamed(input.value), chosenModels(), texts));
    });
  }
  document.addEventListener("keydown", ({ key }) => key === "Escape" && hide());
  document.addEventListener("pointerdown", ({ target }) => {
    if (!(target as Element).closest(".row")) hide();
  });
}
