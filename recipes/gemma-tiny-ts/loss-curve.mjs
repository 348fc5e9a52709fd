// Draws a run's losses: the steps' own, smoothed, and the held-out one.
//   node recipes/gemma-tiny-ts/loss-curve.mjs --run DIR --out FILE.svg
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const WIDTH = 720;
const HEIGHT = 320;
const LEFT = 48;
const BOTTOM = 36;
const TOP = 16;
/** Steps whose mean is a point. */
const SMOOTHED = 20;

const { values } = parseArgs({ options: { run: { type: "string" }, out: { type: "string" } } });
if (!values.run || !values.out) {
  process.stderr.write("usage: node recipes/gemma-tiny-ts/loss-curve.mjs --run DIR --out FILE.svg\n");
  process.exit(2);
}
const lines = readFileSync(join(values.run, "metrics.jsonl"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line));
const steps = lines.filter(({ type }) => type === "step");
const heldOut = lines.filter(({ type }) => type === "eval").map(({ step, heldOutLoss }) => [step, heldOutLoss]);
const learned = [];
for (let i = 0; i < steps.length; i += SMOOTHED) {
  const part = steps.slice(i, i + SMOOTHED);
  learned.push([part.at(-1).step, part.reduce((sum, { loss }) => sum + loss, 0) / part.length]);
}
const last = steps.at(-1).step;
const most = Math.ceil(Math.max(...learned.map(([, loss]) => loss), ...heldOut.map(([, loss]) => loss)));
const least = Math.floor(Math.min(...learned.map(([, loss]) => loss)));
const x = (step) => LEFT + (step / last) * (WIDTH - LEFT - 16);
const y = (loss) => TOP + ((most - loss) / (most - least)) * (HEIGHT - TOP - BOTTOM);
const at = (points) => points.map(([step, loss]) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(" ");
const text = (px, py, anchor, words) => `<text x="${px}" y="${py}" text-anchor="${anchor}">${words}</text>`;
const rule = (py) =>
  `<line x1="${LEFT}" x2="${WIDTH - 16}" y1="${py}" y2="${py}" stroke="currentColor" opacity="0.15"/>`;
const marks = Array.from({ length: most - least + 1 }, (_, i) => least + i);
const quarters = [0, 1, 2, 3, 4].map((part) => Math.round((part * last) / 4));
writeFileSync(
  values.out,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#666" color="#666" role="img" aria-label="Loss by step: ${learned.at(-1)[1].toFixed(2)} nats a token learned, ${heldOut.at(-1)[1].toFixed(2)} held out, at the end">
${marks.map((loss) => rule(y(loss)) + text(LEFT - 8, y(loss) + 4, "end", loss)).join("\n")}
${quarters.map((step) => text(x(step), HEIGHT - 16, "middle", step)).join("\n")}
<polyline fill="none" stroke="#1a73e8" stroke-width="1.5" points="${at(learned)}"/>
<polyline fill="none" stroke="#e8710a" stroke-width="2" points="${at(heldOut)}"/>
${text(WIDTH - 24, TOP + 12, "end", `<tspan fill="#1a73e8">learned (${SMOOTHED} steps' mean)</tspan> · <tspan fill="#e8710a">held out</tspan> · nats a token by step`)}
</svg>
`,
);
