import { PUBLISHED_SOURCES } from "../published.js";
import { chart, swatch } from "./chart.js";
import { pageText } from "./document.js";
import type { ItemsData } from "./items.js";
import { html, json, type Markup } from "./markup.js";
import type { Report } from "./report.js";
import { STYLE } from "./style.js";
import { benchmarkTable, footnotes, taskTables } from "./table.js";

/**
 * The report as one HTML page that loads nothing: style, scripts and data are inside. Its policy allows these very
 * scripts by their hashes and no connection, so that nothing in an item's text could run even if it got into the markup.
 *
 * @param scripts of ./scripts, compiled: the page has no file to load them from
 */
export async function reportPage(report: Report, items: ItemsData, scripts: readonly string[]): Promise<string> {
  const titles = report.runs.map(({ title }) => title);
  const body = html`
<a class="skip" href="#items">Skip to the items</a>
<header><h1>Benchmarks</h1><p>${titles.length === 0 ? "Published figures" : html`${titles.join(", ")} beside the published figures`}</p></header>
<main>
<section aria-labelledby="overview-title"><h2 id="overview-title">Overview</h2>
${controls(report)}
<div id="chart-view">${chart(report)}</div>
<div id="table-view">${benchmarkTable(report)}</div>
<p class="small">Per cent. Lines on bars, and small figures in the table: 95 % interval of the bootstrap over a run's items. *: see the
notes, to which numbers lead in the table. Published figures: ${PUBLISHED_SOURCES.join("; ")}.</p>
${footnotes(report)}
</section>
${report.tasks.length > 0 && itemsSection()}
${report.tasks.length > 0 && html`<section aria-labelledby="figures-title"><h2 id="figures-title">Figures by task</h2>${report.tasks.map((task) => taskTables(task, report))}</section>`}
${report.runs.length > 0 && settings(report)}
</main>
<script type="application/json" id="data">${json(items)}</script>`;
  return pageText({ title: ["Benchmarks", ...titles].join(" · "), style: STYLE, body, scripts });
}

/** Choices that need the script; without it chart and table stand one below the other. */
function controls({ benchmarks, columns }: Report): Markup {
  return html`
<form class="controls" id="overview" hidden>
<label>Benchmark <select id="benchmark"><option value="">All</option>${benchmarks.map(
    ({ benchmark, title }) => html`<option value="${benchmark}">${title}</option>`,
  )}</select></label>
<fieldset><legend>View</legend><label><input type="radio" name="view" value="chart" checked> Chart</label><label><input type="radio" name="view" value="table"> Table</label></fieldset>
<fieldset><legend>Models</legend>${columns.map(
    (column, i) =>
      html`<label><input type="checkbox" name="column" value="${i}" checked> ${swatch(column, i)} ${column.title}</label>`,
  )}</fieldset>
</form>`;
}

function itemsSection(): Markup {
  return html`
<section id="items" aria-labelledby="items-title" tabindex="-1"><h2 id="items-title">Items</h2>
<noscript><p>Single items need JavaScript.</p></noscript>
<form class="controls" id="choose" hidden>
<label>Task <select id="task"></select></label>
<label>Group <select id="group"></select></label>
<label>Run <select id="run"></select></label>
<label>Compared with <select id="other"></select></label>
<label>Show <select id="filter"></select></label>
<label>Search <input type="search" id="query" placeholder="id or text"></label>
</form>
<p id="summary" role="status"></p>
<ol id="list"></ol>
<button type="button" id="more" hidden>Show more</button>
</section>`;
}

function settings({ runs }: Report): Markup {
  return html`<section aria-labelledby="settings-title"><h2 id="settings-title">Runs</h2>${runs.map(
    ({ title, header }) => html`
<h3>${title}</h3><dl>
<dt>Model</dt><dd>${header.model.name}</dd><dt>SHA-256</dt><dd><code>${header.model.sha256 ?? "unknown: an endpoint"}</code></dd>
<dt>gemma-ts</dt><dd>${header.version}${header.commit !== null && html`, commit <code>${header.commit}</code>`}</dd>
${header.machines.map(({ runtime, platform, cpu, threads }) => html`<dt>measured on</dt><dd>${cpu}, ${platform}, ${runtime}${threads !== null && `, ${threads} threads`}</dd>`)}
${Object.entries(header.settings).map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>`)}
</dl>
<details><summary>Data</summary><ul>${header.tasks.map((task) =>
      task.data.map(
        ({ file, rows, sha256 }) => html`<li>${task.title}: ${file}, ${rows} rows, <code>${sha256}</code></li>`,
      ),
    )}</ul></details>`,
  )}</section>`;
}
