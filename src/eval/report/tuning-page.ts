import type { ReportedModel, ReportLine, TrainingRun, TuningReport } from "../tuning/tuning-report.js";
import { pageText } from "./document.js";
import { forest } from "./forest.js";
import { lossCurve } from "./loss-curve.js";
import { html, type Markup } from "./markup.js";
import { answerPairs, changedItems } from "./tuning-items.js";
import { TUNING_STYLE } from "./tuning-style.js";
import { inPageOrder, tuningTable } from "./tuning-table.js";

export interface TuningPageOptions {
  /** Changed items of each line, and answers side by side, that the page holds. Its figures are of all. Default: 50. */
  readonly maxItems?: number;
}

/** What tuning did, as one page that loads nothing and needs no script: verdict, charts, figures, items, how it was measured. */
export async function tuningPage(report: TuningReport, { maxItems = 50 }: TuningPageOptions = {}): Promise<string> {
  const { before, after, verdict, answers, run } = report;
  const lines = inPageOrder(report.lines);
  const body = html`
<a class="skip" href="#answers-title">Skip to the answers</a>
<header><h1>What tuning did</h1><p>${nameOf(before)} → ${nameOf(after)}</p></header>
<main>
<p class="verdict">${verdict}</p>
<p class="counts">${countsText(lines)}</p>
<section aria-labelledby="changes-title"><h2 id="changes-title">What changed</h2>
${charts(lines)}
${tuningTable(lines)}
<p class="small">Both models got the same items. Intervals are of the paired differences: Bonett and Price's of shares, the bootstrap's of losses.
p: McNemar's exact test of shares, randomisation of the differences' signs of losses. A line has moved if its p, adjusted by Holm for all ${lines.length} lines, is at most 0.05.
What is not told from chance may still have changed by as much as its interval allows.</p>
</section>
${answerPairs(answers, maxItems)}
${changedItems(lines, maxItems)}
${run !== null && runSection(run)}
${origin(report)}
</main>`;
  return pageText({ title: `What tuning did · ${after.adapter?.name ?? after.name}`, style: TUNING_STYLE, body });
}

function charts(lines: readonly ReportLine[]): Markup {
  const [shares, losses] = (["share", "nats"] as const).map((unit) => lines.filter((line) => line.unit === unit));
  return html`${forest("Shares, in points", shares!)}${forest("Losses, in per cent of perplexity", losses!)}`;
}

function countsText(lines: readonly ReportLine[]): string {
  const count = (movement: ReportLine["movement"]) => lines.filter((line) => line.movement === movement).length;
  return `${lines.length} lines: ${count("better")} better, ${count("worse")} worse, ${count("same")} not told from chance`;
}

function nameOf({ name, adapter }: ReportedModel): string {
  return adapter === null ? name : `${name} with ${adapter.name}`;
}

function runSection({ folder, config, losses, heldOut, costs }: TrainingRun): Markup {
  const figures = Object.entries(costs).map(([name, value]): [string, string] => costText(name, value));
  return html`
<section aria-labelledby="run-title"><h2 id="run-title">The tuning run ${folder}</h2>
${lossCurve(losses, heldOut)}
${figures.length > 0 && html`<h3>What it cost</h3>${list(figures)}`}
<details><summary>Its settings</summary>${list(Object.entries(config).map(([name, value]) => [name, String(value)]))}</details>
</section>`;
}

function costText(name: string, value: number): [string, string] {
  if (name === "peakBytes") return ["memory at its highest", `${(value / 1e9).toFixed(2)} GB`];
  if (name === "seconds")
    return ["time of its steps", value < 120 ? `${value.toFixed(0)} s` : `${(value / 60).toFixed(1)} min`];
  return [name, value.toLocaleString("en-US")];
}

function origin({ before, after, made, notes }: TuningReport): Markup {
  const { version, commit, settings, data, machine, command } = made;
  const hashes: [string, string][] = [
    ["before", `${nameOf(before)}, ${before.sha256 ?? "of an unknown file"}`],
    ["after", `${nameOf(after)}, ${after.adapter?.sha256 ?? after.sha256 ?? "of an unknown file"}`],
    ["gemma-ts", commit === null ? version : `${version}, commit ${commit}`],
  ];
  if (machine !== null) {
    const { cpu, platform, runtime, threads } = machine;
    hashes.push([
      "measured on",
      [cpu, platform, runtime, ...(threads === null ? [] : [threads === 1 ? "1 thread" : `${threads} threads`])].join(
        ", ",
      ),
    ]);
  }
  return html`
<section aria-labelledby="made-title"><h2 id="made-title">How it was measured</h2>
${notes.length > 0 && html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
${command !== null && html`<p>The same again, with the folders and files where they lie:</p><code class="command">${command}</code>`}
${list([...hashes, ...Object.entries(settings).map(([name, value]): [string, string] => [name, String(value)])])}
<details><summary>Data</summary><ul>${data.map(
    ({ name, sha256, items }) => html`<li>${name}, ${items} items, <code>${sha256}</code></li>`,
  )}</ul></details>
</section>`;
}

function list(entries: readonly (readonly [string, string])[]): Markup {
  return html`<dl>${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}
