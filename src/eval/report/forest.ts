import type { ReportLine } from "../tuning/tuning-report.js";
import { gainOf } from "../tuning/verdict.js";
import { html, type Markup } from "./markup.js";

const MOST_TICKS = 7;

interface Mark {
  readonly line: ReportLine;
  /** How much better, with its interval; negative: worse. */
  readonly gain: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Dots with whiskers: how much better or worse each line became, with its 95 % interval. A row is a small drawing whose places are per
 * cent of its width, so it fits any screen; it says its values to a screen reader, and the table beside it has them, too.
 *
 * @param lines of one unit
 */
export function forest(title: string, lines: readonly ReportLine[]): Markup | null {
  if (lines.length === 0) return null;
  const marks = lines.map(markOf);
  const ticks = ticksOf(Math.min(0, ...marks.map(({ low }) => low)), Math.max(0, ...marks.map(({ high }) => high)));
  const [first, last] = [ticks[0]!, ticks.at(-1)!];
  const place = (value: number) => `${(((value - first) / (last - first)) * 100).toFixed(2)}%`;
  const grid = ticks.map(
    (tick) =>
      html`<line class="${tick === 0 ? "zero" : "grid"}" x1="${place(tick)}" x2="${place(tick)}" y1="0" y2="100%"/>`,
  );
  return html`
<figure class="forest"><figcaption>${title}<small>Lines are 95 % intervals; filled dots are significant, hollow ones not told from chance.</small></figcaption>
<div class="ends" aria-hidden="true"><span>← worse</span><span>better →</span></div>
<ul>${marks.map((mark) => row(mark, place, grid))}</ul>
<svg class="ticks" aria-hidden="true">${ticks.map((tick) => html`<text x="${place(tick)}" y="1em">${tickText(tick)}</text>`)}</svg>
</figure>`;
}

function row(mark: Mark, place: (value: number) => string, grid: readonly Markup[]): Markup {
  const { line, gain, low, high } = mark;
  const { title, role, movement, unit, better } = line;
  const hint = unit === "share" && better === "lower" ? html` <small>fewer is better</small>` : null;
  return html`
<li class="${movement} ${role}"><span class="what">${title}${hint}</span>
<svg role="img" aria-label="${describe(mark)}">${grid}
<line class="whisker" x1="${place(low)}" x2="${place(high)}" y1="50%" y2="50%"/>
${[low, high].map((end) => html`<line class="whisker" x1="${place(end)}" x2="${place(end)}" y1="35%" y2="65%"/>`)}
<circle cx="${place(gain)}" cy="50%" r="5"/></svg>
<span class="much">${gainText(gain, unit)}</span></li>`;
}

function markOf(line: ReportLine): Mark {
  const ends = [line.low, line.high].map((difference) => gainOf({ ...line, difference }));
  return { line, gain: gainOf(line), low: Math.min(...ends), high: Math.max(...ends) };
}

/** "12.4 better", "3.1 % worse" */
function gainText(gain: number, unit: ReportLine["unit"]): string {
  const size = Math.abs(gain).toFixed(1);
  if (Number(size) === 0) return "no change";
  return `${size}${unit === "nats" ? " %" : ""} ${gain > 0 ? "better" : "worse"}`;
}

function describe({ line, gain, low, high }: Mark): string {
  const unit = line.unit === "nats" ? "per cent of perplexity" : "points";
  const ends = [low, high].map((end) => `${Math.abs(end).toFixed(1)} ${end < 0 ? "worse" : "better"}`);
  const moved = line.movement === "same" ? "not told from chance" : "significant";
  return `${line.title}: ${gainText(gain, line.unit)}, in ${unit}; 95 % interval from ${ends[0]} to ${ends[1]}; ${moved}`;
}

/** Round numbers around `low` and `high`, zero among them. */
function ticksOf(low: number, high: number): number[] {
  const span = Math.max(high - low, 1);
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000];
  const step = steps.find((one) => span / one <= MOST_TICKS - 2) ?? 10 ** Math.ceil(Math.log10(span));
  const first = Math.floor(low / step);
  const count = Math.ceil(high / step) - first;
  return Array.from({ length: Math.max(count, 1) + 1 }, (_, i) => Number(((first + i) * step).toFixed(6)));
}

function tickText(tick: number): string {
  return tick === 0 ? "0" : `${tick < 0 ? "−" : "+"}${Math.abs(tick)}`;
}
