import { BASE_STYLE } from "./base-style.js";

/** The tuning report's style sheet. */
export const TUNING_STYLE = `${BASE_STYLE}
body { max-width: 72rem; }
.verdict { margin: 1rem 0 .5rem; padding: 1rem 1.25rem; border-left: 5px solid var(--link); background: var(--panel); border-radius: 6px; font-size: 1.35rem; line-height: 1.4; overflow-wrap: anywhere; }
.counts { margin: 0; color: var(--soft); }
.better { color: var(--good); } .worse { color: var(--bad); } .gained { color: var(--good); } .lost { color: var(--bad); }
.gained::before { content: "▲ "; } .lost::before { content: "▼ "; }

figcaption small { display: block; color: var(--soft); font-weight: 400; }
figure { margin: 1.25rem 0; } figcaption { font-weight: 600; }
.forest ul { list-style: none; margin: 0; padding: 0; }
.forest li, .forest .ends { display: grid; grid-template-columns: 15rem 1fr 7.5rem; gap: .25rem 1rem; align-items: center; }
.forest .ends { color: var(--soft); font-size: .8rem; } .forest .ends span:first-child { grid-column: 2; grid-row: 1; } .forest .ends span:last-child { grid-column: 2; grid-row: 1; justify-self: end; }
.forest li svg { width: 100%; height: 2.4rem; overflow: visible; display: block; }
.forest .ticks { display: block; margin-left: 16rem; width: calc(100% - 24.5rem); height: 1.2rem; overflow: visible; fill: var(--soft); font-size: .75rem; text-anchor: middle; }
.forest .what { overflow-wrap: anywhere; line-height: 1.2; } .forest small { color: var(--soft); } .forest .much { font-variant-numeric: tabular-nums; }
.forest li.target .what { font-weight: 600; }
.grid { stroke: var(--line); } .zero { stroke: var(--soft); }
.whisker { stroke: var(--mark); stroke-width: 2; } .forest circle { fill: var(--mark); stroke: var(--mark); stroke-width: 2; }
.forest li { --mark: var(--soft); } .forest li.better { --mark: var(--good); } .forest li.worse { --mark: var(--bad); }
.forest li.same { color: inherit; } .forest li.better .what, .forest li.worse .what { color: var(--ink); }
.forest li.same circle { fill: var(--paper); }

td { text-align: left; } .lines td { text-align: right; white-space: nowrap; } .lines thead th:nth-child(n + 2) { text-align: right; } .lines td:last-child { white-space: normal; min-width: 6rem; }
th small, td small { display: block; color: var(--soft); font-weight: 400; } .lines th[scope=row] { font-weight: 600; min-width: 14rem; } .role th { padding-top: 1rem; color: var(--soft); font-weight: 600; }
pre { margin: 0; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 16rem; overflow: auto; }
.items { border-bottom: 1px solid var(--line); } .items table { width: 100%; } .items td { min-width: 9rem; } .items th[scope=row] { white-space: nowrap; font-weight: 600; }
.items summary, .more > summary { min-height: 2rem; }
.pair { margin: 0 0 1rem; padding: .75rem 1rem; background: var(--panel); border-radius: 6px; } .pair h3 { margin: 0 0 .25rem; font-size: .8rem; color: var(--soft); font-weight: 500; }
.pair h4 { margin: .5rem 0 .1rem; font-size: .85rem; color: var(--soft); } .sides { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.5rem; border-top: 1px solid var(--line); margin-top: .5rem; }

.curve .frame { display: grid; grid-template: "top chart chart" 1fr "bottom chart chart" auto ". start end" auto / auto 1fr 1fr; gap: .15rem .5rem; font-size: .8rem; color: var(--soft); }
.curve svg { grid-area: chart; width: 100%; height: 13rem; border: solid var(--line); border-width: 0 0 1px 1px; }
.top { grid-area: top; } .bottom { grid-area: bottom; align-self: end; } .start { grid-area: start; } .end { grid-area: end; justify-self: end; }
polyline { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
polyline.train { stroke: var(--c0); } polyline.held { stroke: var(--c2); stroke-dasharray: 6 3; } span.train { color: var(--c0); } span.held { color: var(--c2); }
.command { display: block; padding: .6rem .75rem; background: var(--panel); border-radius: 6px; white-space: pre-wrap; }
@media (max-width: 44rem) {
  .verdict { font-size: 1.15rem; } .sides { grid-template-columns: 1fr; }
  .forest li, .forest .ends { grid-template-columns: 1fr auto; } .forest li svg { grid-column: 1 / 3; grid-row: 2; } .forest .ends span:first-child { grid-column: 1; } .forest .ends span:last-child { grid-column: 2; }
  .forest .ticks { margin: 0; width: 100%; } .forest .ticks text:first-child { text-anchor: start; } .forest .ticks text:last-child { text-anchor: end; } .forest li { margin-top: .4rem; } .forest li svg { height: 1.6rem; }
}
@media print { body { max-width: none; } pre { max-height: none; } .scroll { overflow: visible; } .pair, .forest li, tr { break-inside: avoid; } .verdict, .pair { border: 1px solid var(--line); } }
`;
