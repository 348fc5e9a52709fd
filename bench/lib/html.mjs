// Records as one HTML page without scripts: bars for both sides, a line at the machine's limit, light and dark.
import { isReached } from "./record.mjs";
import { digitsOf, targetText } from "./table.mjs";

const STYLE = `
:root { color-scheme: light dark; --page: #fff; --text: #1b1f24; --soft: #59636e; --line: #d8dee4; --track: #f0f3f6;
  --ours: #1f6feb; --theirs: #98a2ae; --limit: #bc4c00; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --text: #e6edf3; --soft: #9198a1; --line: #30363d;
  --track: #1a2029; --ours: #4493f8; --theirs: #6e7681; --limit: #f0883e; --good: #3fb950; --bad: #f85149; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; background: var(--page); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .25rem; padding-top: 1rem; border-top: 1px solid var(--line); }
p { margin: .2rem 0; } small, .soft { color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
.row { display: grid; grid-template-columns: 11rem 1fr 11rem; gap: .25rem 1rem; padding: .6rem 0;
  border-bottom: 1px solid var(--line); align-items: center; }
.ops .row { grid-template-columns: 24rem 1fr 7.5rem; padding: .25rem 0; }
.plot { position: relative; margin-right: 3.4rem; } .bar { position: relative; height: 1.35rem; margin: 2px 0; background: var(--track); }
.fill { height: 100%; background: var(--theirs); } .ours .fill { background: var(--ours); }
.range { position: absolute; top: 50%; height: 2px; margin-top: -1px; background: var(--text); opacity: .55; }
.value { position: absolute; top: 0; left: 100%; padding-left: .5rem; line-height: 1.35rem; font-size: .85rem; }
.limit { position: absolute; top: -2px; bottom: -2px; border-left: 2px dashed var(--limit); }
.result small { white-space: nowrap; } .result b { font-size: 1.15rem; } .good { color: var(--good); } .bad { color: var(--bad); }
.key span { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 .8rem; vertical-align: -1px; }
@media (max-width: 40rem) { .row, .ops .row { grid-template-columns: 1fr; gap: .15rem; } .result { display: flex;
  gap: .6rem; align-items: baseline; flex-wrap: wrap; } }
`;

/** @param records of bench/lib/record.mjs */
export function reportHtml(records) {
  const body = records.map(recordHtml).join("");
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>gemma.ts benchmarks</title><style>${STYLE}</style><body>
<h1>gemma.ts benchmarks</h1>
<p class="soft">Medians of the rounds; thin lines go from the lowest to the highest. Ratios are ours over theirs.</p>
<p class="soft key"><span style="background:var(--ours);margin-left:0"></span>gemma.ts<span
 style="background:var(--theirs)"></span>peer<span style="border-left:2px dashed var(--limit);width:2px"></span>what this
 machine allows</p>
${body}</body></html>\n`;
}

function recordHtml({ bench, machine, scenarios }) {
  const { cpu, cores, memoryBytes } = machine;
  const where = `${bench} on ${cpu}, ${cores} cores, ${(memoryBytes / 1e9).toFixed(0)} GB`;
  return scenarios.map((scenario) => scenarioHtml(scenario, bench, where)).join("");
}

function scenarioHtml(scenario, bench, where) {
  const { title, date, commit, node, args, rounds, load, limits, peer, peerVersion, rows } = scenario;
  const command = `npm run bench:${bench} -- ${args.join(" ")}`;
  const made = [where, date.slice(0, 10), `commit ${commit}`, `Node ${node}`, ...(peerVersion ? [peerVersion] : [])];
  const quiet = `${rounds} rounds, load ${load.lowest} to ${load.highest}`;
  const measured = limits
    ? `limits: reads ${limits.readGBs.highest} GB/s, matrix-vector ${limits.matvecGBs.highest} GB/s, 8-bit dots ${limits.dotGops.highest} GOPS (${limits.unit})`
    : "limits not measured";
  return `<section class="${peer === null ? "ops" : "peers"}"><h2>${escaped(title)}</h2>
<p class="soft">${escaped(made.join(" · "))}</p><p class="soft">${escaped(`${quiet} · ${measured}`)}</p>
<p class="soft"><code>${escaped(command)}</code></p>
${rows.map((row) => rowHtml(row, peer)).join("\n")}</section>`;
}

function rowHtml(row, peer) {
  const { label, unit, better, ours, theirs, ratio, limit, share } = row;
  const most = 1.02 * Math.max(ours.highest, theirs?.highest ?? 0, limit ?? 0);
  const bars = [bar("ours", ours, unit, most, "gemma.ts")];
  if (theirs !== null) bars.push(bar("theirs", theirs, unit, most, row.peer ?? peer));
  if (limit !== null)
    bars.push(`<div class="limit" style="left:${percent(limit / most)}" title="limit ${limit}"></div>`);
  // Without a peer or a limit a bar has nothing to be long or short beside.
  const plot = theirs === null && limit === null ? number(ours, unit) : `<div class="plot">${bars.join("")}</div>`;
  const parts = [];
  if (ratio !== null) {
    parts.push(
      `<b>${times(ratio.median)}</b> <small>${ratio.lowest.toFixed(2)} to ${ratio.highest.toFixed(2)}</small>`,
    );
  }
  if (share !== null) parts.push(`<small>${(100 * share.median).toFixed(0)} % of ${show(limit)}</small>`);
  for (const target of row.targets) {
    const reached = isReached(row, target);
    if (reached === null) continue;
    const [style, sign] = reached ? ["good", "✓"] : ["bad", "✗"];
    parts.push(`<small class="${style}">${sign} ${escaped(targetText(row, target))}</small>`);
  }
  const side = row.peer === null ? "" : ` beside ${row.peer}`;
  const units = peer === null ? ` <small>${escaped(unit)}` : `<br><small>${escaped(unit)}, ${better} is better`;
  return `<div class="row"><div>${escaped(label + side)}${units}</small></div>
${plot}<div class="result">${parts.join("<br>")}</div></div>`;
}

function bar(side, { median, lowest, highest }, unit, most, name) {
  const range = `left:${percent(lowest / most)};width:${percent((highest - lowest) / most)}`;
  const title = `${name}: ${lowest} to ${highest} ${unit}`;
  return `<div class="bar ${side}" title="${escaped(title)}"><div class="fill" style="width:${percent(median / most)}"></div><div class="range" style="${range}"></div><div class="value">${show(median)}</div></div>`;
}

function number({ median, lowest, highest }, unit) {
  return `<div>${show(median)} ${escaped(unit)} <small>${show(lowest)} to ${show(highest)}</small></div>`;
}

function show(value) {
  return value.toFixed(digitsOf(value));
}

function times(ratio) {
  return `${ratio.toFixed(2)} ×`;
}

function percent(fraction) {
  return `${(100 * fraction).toFixed(2)}%`;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
