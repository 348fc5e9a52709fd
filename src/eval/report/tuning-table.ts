import type { ReportLine, Role } from "../tuning/tuning-report.js";
import { signed } from "../tuning/verdict.js";
import { html, type Markup } from "./markup.js";
import { pValue } from "./report.js";

/** In the order of the page. */
const ROLES: Readonly<Record<Role, string>> = {
  target: "Target",
  regression: "Abilities",
  safety: "Safety",
  behaviour: "Behaviour",
};
const MOVEMENTS = { better: "better", worse: "worse", same: "not told from chance" } as const;

/** The target's lines first. */
export function inPageOrder(lines: readonly ReportLine[]): readonly ReportLine[] {
  return Object.keys(ROLES).flatMap((role) => lines.filter((line) => line.role === role));
}

/** All lines with all figures: the charts' other view. */
export function tuningTable(lines: readonly ReportLine[]): Markup {
  return html`
<div class="scroll" role="region" aria-label="Table of all lines" tabindex="0"><table class="lines">
<thead><tr><th scope="col">Line</th><th scope="col">Items</th><th scope="col">Before</th><th scope="col">After</th><th scope="col">Change, 95 %</th><th scope="col">Gained</th><th scope="col">Lost</th><th scope="col">p</th><th scope="col">p, Holm</th><th scope="col">Moved</th></tr></thead>
${Object.entries(ROLES).map(([role, title]) => {
  const own = lines.filter((line) => line.role === role);
  if (own.length === 0) return null;
  return html`<tbody><tr class="role"><th scope="rowgroup" colspan="10">${title}</th></tr>${own.map(row)}</tbody>`;
})}
</table></div>`;
}

function row(line: ReportLine): Markup {
  const { title, about, n, before, after, difference, low, high, gained, lost, p, pHolm, movement } = line;
  const change = html`${signedFigure(line, difference)}<small>${signedFigure(line, low)} to ${signedFigure(line, high)}</small>`;
  return html`
<tr><th scope="row">${title}<small>${about}${line.better === "lower" && "; lower is better"}</small></th><td>${n}</td><td>${figure(line, before)}</td><td>${figure(line, after)}</td><td>${change}</td><td>${gained}</td><td>${lost}</td><td>${pValue(p)}</td><td>${pValue(pHolm)}</td><td class="${movement}">${MOVEMENTS[movement]}</td></tr>`;
}

/** Per cent of a share; of a loss nats, and the perplexity that they are. */
function figure({ unit }: ReportLine, value: number): Markup {
  if (unit === "share") return html`${(100 * value).toFixed(1)} %`;
  const perplexity = Math.exp(value);
  return html`${value.toFixed(3)}<small>perplexity ${perplexity < 1e5 ? perplexity.toFixed(1) : perplexity.toExponential(1)}</small>`;
}

function signedFigure({ unit }: ReportLine, value: number): string {
  return unit === "share" ? signed(100 * value, 1) : signed(value, 3);
}
