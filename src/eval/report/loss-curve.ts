import type { StepLoss } from "../tuning/tuning-report.js";
import { html, type Markup } from "./markup.js";

/** Loss by step, of training and of held-out examples. null for fewer than two steps. */
export function lossCurve(losses: readonly StepLoss[], heldOut: readonly StepLoss[]): Markup | null {
  if (losses.length < 2) return null;
  const all = [...losses, ...heldOut];
  const [least, most] = extent(all.map(({ loss }) => loss));
  const [first, last] = extent(all.map(({ step }) => step));
  const x = (step: number) => ((step - first) / (last - first || 1)) * 100;
  const y = (loss: number) => 100 - ((loss - least) / (most - least || 1)) * 100;
  const points = (line: readonly StepLoss[]) =>
    line.map(({ step, loss }) => `${x(step).toFixed(2)},${y(loss).toFixed(2)}`).join(" ");
  const held = heldOut.length > 0 && `; held out ${course(heldOut)}`;
  return html`
<figure class="curve"><figcaption>Loss by step${heldOut.length > 0 && html`: <span class="train">training</span>, <span class="held">held out</span>`}</figcaption>
<div class="frame"><span class="top">${most.toFixed(2)}</span><span class="bottom">${least.toFixed(2)}</span>
<svg role="img" aria-label="Loss by step: training ${course(losses)}${held}" viewBox="-1 -2 102 104" preserveAspectRatio="none"><polyline class="train" points="${points(losses)}"/><polyline class="held" points="${points(heldOut)}"/></svg>
<span class="start">step ${first}</span><span class="end">step ${last}</span></div>
</figure>`;
}

function extent(values: readonly number[]): readonly [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

/** "3.000 at step 1 to 0.359 at step 50" */
function course(line: readonly StepLoss[]): string {
  return [line[0]!, line.at(-1)!].map(({ step, loss }) => `${loss.toFixed(3)} at step ${step}`).join(" to ");
}
