import type { AnswerPair, ItemSide, ReportItem, ReportLine } from "../tuning/tuning-report.js";
import { html, type Markup } from "./markup.js";

/** Shown unfolded. */
const OPEN_ANSWERS = 5;

/** Answers of both models to the same questions. */
export function answerPairs(answers: readonly AnswerPair[], maxItems: number): Markup | null {
  const shown = answers.slice(0, maxItems);
  if (shown.length === 0) return null;
  const card = ({ id, question, reference, before, after }: AnswerPair) => html`
<article class="pair"><h3>${id}</h3><pre>${question}</pre>
<div class="sides"><div><h4>Before</h4>${said(before)}</div><div><h4>After</h4>${said(after)}</div></div>
${reference !== null && html`<details><summary>Reference</summary><pre>${reference}</pre></details>`}</article>`;
  const rest = shown.slice(OPEN_ANSWERS);
  const more = answers.length > shown.length ? ` (of ${answers.length}; report.json has all)` : "";
  return html`
<section aria-labelledby="answers-title"><h2 id="answers-title">Answers side by side</h2>
${shown.slice(0, OPEN_ANSWERS).map(card)}
${rest.length > 0 && html`<details class="more"><summary>${rest.length} more${more}</summary>${rest.map(card)}</details>`}
</section>`;
}

/** What each line gained and lost, item by item. */
export function changedItems(lines: readonly ReportLine[], maxItems: number): Markup | null {
  const changed = lines.filter(({ items }) => items.some(({ change }) => change !== "same"));
  if (changed.length === 0) return null;
  return html`
<section aria-labelledby="items-title"><h2 id="items-title">Items gained and lost</h2>
${changed.map((line) => lineItems(line, maxItems))}
</section>`;
}

function lineItems(line: ReportLine, maxItems: number): Markup {
  const { title, gained, lost, n, unit } = line;
  const changed = line.items.filter(({ change }) => change !== "same");
  // Losses all change a little: the largest changes are the ones to look at.
  const sorted =
    unit === "nats"
      ? changed.sort((a, b) => Math.abs(perToken(b)) - Math.abs(perToken(a)))
      : [...changed].sort((a, b) => Number(b.change === "lost") - Number(a.change === "lost"));
  const shown = sorted.slice(0, maxItems);
  const cut = shown.length < changed.length ? `; ${shown.length} of them here, all in report.json` : "";
  return html`
<details class="items"><summary>${title}: ${gained} gained, ${lost} lost of ${n}${cut}</summary>
<div class="scroll" role="region" aria-label="Items of ${title}" tabindex="0"><table>
<thead><tr><th scope="col">Item</th><th scope="col">Question</th>${unit === "share" && html`<th scope="col">Right</th>`}<th scope="col">Before</th><th scope="col">After</th></tr></thead>
<tbody>${shown.map(
    (item) => html`
<tr><th scope="row"><span class="${item.change}">${item.change}</span><small>${item.id}</small></th><td>${asked(item)}</td>${unit === "share" && html`<td>${said(item.reference ?? "")}</td>`}<td>${sideText(item.before)}</td><td>${sideText(item.after)}</td></tr>`,
  )}</tbody></table></div></details>`;
}

function perToken({ before, after }: ReportItem): number {
  return ((after.nats ?? 0) - (before.nats ?? 0)) / (before.tokens || 1);
}

function sideText({ nats, tokens, text, counts }: ItemSide): Markup {
  if (nats !== undefined) return html`${(nats / (tokens || 1)).toFixed(3)}<small>${tokens ?? 0} tokens</small>`;
  if (text === undefined) return html`<i>${counts ? "counts" : "does not count"}</i>`;
  return said(text);
}

function asked({ question, before }: ReportItem): Markup {
  const isWithheld = before.text === undefined && before.nats === undefined;
  return isWithheld ? html`<i>withheld</i>` : html`<pre>${question}</pre>`;
}

function said(text: string): Markup {
  return text.trim() === "" ? html`<i>nothing</i>` : html`<pre>${text.trim()}</pre>`;
}
