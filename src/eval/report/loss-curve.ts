import type { TrainingRun } from "../tuning/tuning-report.js";
import { html, type Markup } from "./markup.js";

/** Loss by step, of training and where it was measured of held-out examples. null for fewer than two steps. */
export function lossCurve(steps: TrainingRun["steps"]): Markup | null {
  if (steps.length < 2) return null;
  const held = steps.flatMap(({ step, heldOutLoss }) =>
    heldOutLoss === undefined ? [] : [{ step, loss: heldOutLoss }],
  );
  const losses = [...steps, ...held].map(({ loss }) => loss);
  const [least, most] = [Math.min(...losses), Math.max(...losses)];
  const [first, last] = [steps[0]!.step, steps.at(-1)!.step];
  const x = (step: number) => ((step - first) / (last - first || 1)) * 100;
  const y = (loss: number) => 100 - ((loss - least) / (most - least || 1)) * 100;
  const points = (line: readonly { step: number; loss: number }[]) =>
    line.map(({ step, loss }) => `${x(step).toFixed(2)},${y(loss).toFixed(2)}`).join(" ");
  const end = steps.at(-1)!.loss.toFixed(3);
  const heldEnd = held.length > 0 ? `; held out ${held[0]!.loss.toFixed(3)} to ${held.at(-1)!.loss.toFixed(3)}` : "";
  const label = `Loss by step: ${steps[0]!.loss.toFixed(3)} at step ${first}, ${end} at step ${last}${heldEnd}`;
  return html`
<figure class="curve"><figcaption>Loss by step${held.length > 0 && html`: <span class="train">training</span>, <span class="held">held out</span>`}</figcaption>
<div class="frame"><span class="top">${most.toFixed(2)}</span><span class="bottom">${least.toFixed(2)}</span>
<svg role="img" aria-label="${label}" viewBox="-1 -2 102 104" preserveAspectRatio="none"><polyline class="train" points="${points(steps)}"/>${held.length > 0 && html`<polyline class="held" points="${points(held)}"/>`}</svg>
<span class="start">step ${first}</span><span class="end">step ${last}</span></div>
</figure>`;
}
